"""A spiking neuron in two variables: the number of its spikes has no useful derivative."""

import jax.numpy as jnp

from gradaudit import Event, Model
from gradaudit.backend.shapes import Scalar, Vector

THRESHOLD = 1.0


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """v' = v - v^3/3 - w + I, w' = eps (v + a - b w)."""
    v, w = y
    current, a, b, eps = p
    return jnp.stack([v - v**3 / 3.0 - w + current, eps * (v + a - b * w)])


MODEL = Model(
    name="spike_count",
    vector_field=vector_field,
    states={"v": (-1.0, "1"), "w": (-0.5, "1")},
    parameters={"I": (0.5, "1"), "a": (0.7, "1"), "b": (0.8, "1"), "eps": (0.08, "1")},
    t_end=200.0,
    time_unit="1",
    observations=201,
    events={"spike": Event(when=lambda t, y, p: y[0] - THRESHOLD, direction=1)},
    mechanism="discontinuous functional",
    regime="horrible",
    description=(
        "FitzHugh and Nagumo's equations on their limit cycle: the derivative of the number of "
        "spikes is 0 wherever it exists, while the number jumps, and spike times are smooth."
    ),
    citation=(
        "R. FitzHugh, Impulses and physiological states in theoretical models of nerve membrane, "
        "Biophysical Journal 1 (1961) 445-466."
    ),
)
