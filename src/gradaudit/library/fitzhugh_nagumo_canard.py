"""FitzHugh and Nagumo's equations at a canard: a spike or none, decided by the fifth digit."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector

CANARD = 0.1435462607591855  # current whose trajectory stays longest on the repelling branch


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """v' = v - v^3/3 - w + I, w' = eps (v + a - b w)."""
    v, w = y
    current, a, b, eps = p
    return jnp.stack([v - v**3 / 3.0 - w + current, eps * (v + a - b * w)])


def at(distance: float = 1e-4) -> Model:
    """The response to a current that is switched on at t = 0, `distance` above the canard's."""
    return Model(
        name="fitzhugh_nagumo_canard",
        vector_field=vector_field,
        states={"v": (-1.1994080352439838, "1"), "w": (-0.6242600440549797, "1")},
        parameters={
            "I": (CANARD + distance, "1"),
            "a": (0.7, "1"),
            "b": (0.8, "1"),
            "eps": (0.08, "1"),
        },
        t_end=60.0,
        time_unit="1",
        axes={"distance": (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, -1e-4)},
        mechanism="near a bifurcation",
        regime="horrible",
        description=(
            "From rest at I = 0. Near the current at which the trajectory follows the repelling "
            "middle branch of the cubic, a change of 1e-5 decides whether there is a spike."
        ),
        citation=(
            "R. FitzHugh, Impulses and physiological states in theoretical models of nerve "
            "membrane, Biophysical Journal 1 (1961) 445-466; M. Krupa, P. Szmolyan, Relaxation "
            "oscillation and canard explosion, Journal of Differential Equations 174 (2001) "
            "312-368."
        ),
    )


MODEL = at()
