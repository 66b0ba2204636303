"""Gompertz's growth: a smooth problem on which to see what a finite difference can confirm."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector

INITIAL = 0.5


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """y' = r y ln(K/y)."""
    r, k = p
    return r * y * jnp.log(k / y)


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """y(t) = K (y0/K)^exp(-r t)."""
    r, k = p
    return jnp.stack([k * jnp.exp(jnp.exp(-r * t) * jnp.log(INITIAL / k))])


MODEL = Model(
    name="finite_difference_check",
    vector_field=vector_field,
    states={"y": (INITIAL, "g")},
    parameters={"r": (0.8, "1/d"), "K": (10.0, "g")},
    t_end=5.0,
    time_unit="d",
    exact_solution=exact_solution,
    mechanism="finite differences as a check",
    regime="bad",
    description=(
        "Forward AD is right; a difference quotient of the same solve has an error that is "
        "V-shaped in its step, with a floor of about tol^(1/2) to tol^(2/3)."
    ),
    citation=(
        "B. Gompertz, On the nature of the function expressive of the law of human mortality, and "
        "on a new mode of determining the value of life contingencies, Philosophical Transactions "
        "of the Royal Society of London 115 (1825) 513-583."
    ),
)
