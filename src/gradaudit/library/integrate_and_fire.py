"""The leaky integrate-and-fire neuron: a threshold, and a reset that is a jump."""

import jax.numpy as jnp

from gradaudit import Event, Model
from gradaudit.backend.shapes import Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """tau V' = E - V, where E is the voltage that the current would lead to."""
    drive, tau = p[0], p[1]
    return (drive - y) / tau


def reset(t: Scalar, y: Vector, p: Vector) -> Vector:
    """V -> V_reset."""
    return p[3:4] + 0.0 * y


def initial_state(p: Vector) -> Vector:
    """V_reset, so that every interval between spikes is the same."""
    return p[3:4]


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """V = E - (E - V_reset) exp(-s/tau), s the time since the last spike."""
    drive, tau, threshold, low = p
    period = tau * jnp.log((drive - low) / (drive - threshold))
    since = t - jnp.floor(t / period) * period
    return jnp.stack([drive - (drive - low) * jnp.exp(-since / tau)])


MODEL = Model(
    name="integrate_and_fire",
    vector_field=vector_field,
    states={"V": (-65.0, "mV")},
    parameters={
        "E": (-45.0, "mV"),
        "tau": (10.0, "ms"),
        "V_threshold": (-50.0, "mV"),
        "V_reset": (-65.0, "mV"),
    },
    t_end=50.0,
    time_unit="ms",
    initial_state=initial_state,
    exact_solution=exact_solution,
    events={"spike": Event(when=lambda t, y, p: y[0] - p[2], direction=1, jump=reset)},
    mechanism="events with jumps",
    regime="horrible",
    description=(
        "A neuron with three spikes within the window: without the derivative of the spike times "
        "each reset erases what the voltage knew of the parameters."
    ),
    citation=(
        "L. Lapicque, Recherches quantitatives sur l'excitation électrique des nerfs traitée comme "
        "une polarisation, Journal de Physiologie et de Pathologie Générale 9 (1907) 620-635."
    ),
)
