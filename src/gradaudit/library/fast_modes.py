"""A fast variable that follows a slow one after a transient: gradients of the fast rate vanish."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector

FAST, SLOW = 2.0, 1.0  # initial values


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """x' = L (z - x), z' = -k z."""
    x, z = y
    fast, slow = p
    return jnp.stack([fast * (z - x), -slow * z])


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """x = A exp(-k t) + (x0 - A) exp(-L t), A = L z0 / (L - k); z = z0 exp(-k t)."""
    fast, slow = p
    share = fast * SLOW / (fast - slow)
    tail = jnp.exp(-slow * t)
    return jnp.stack([share * tail + (FAST - share) * jnp.exp(-fast * t), SLOW * tail])


MODEL = Model(
    name="fast_modes",
    vector_field=vector_field,
    states={"x": (FAST, "1"), "z": (SLOW, "1")},
    parameters={"L": (1000.0, "1/s"), "k": (1.0, "1/s")},
    t_end=1.0,
    time_unit="s",
    exact_solution=exact_solution,
    axes={"L": (10.0, 100.0, 1000.0, 10000.0)},
    mechanism="vanishing gradients of fast modes",
    regime="bad",
    description=(
        "After the transient the derivative with respect to the fast rate L is small, about "
        "1/L^2: an explicit solver, whose steps are at the limit of its stability, may give it "
        "the wrong sign."
    ),
    citation=(
        "C. Fronk, L. Petzold, The vanishing gradient problem for stiff neural differential "
        "equations, arXiv:2508.01519 (2025)."
    ),
)
