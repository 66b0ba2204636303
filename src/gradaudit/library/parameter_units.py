"""A capacitor charged through a resistor, in SI units: parameters of 1e-12 and of 1e6."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """R C V' = E - V."""
    r, c, source = p
    return (source - y) / (r * c)


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """V(t) = E (1 - exp(-t / (R C)))."""
    r, c, source = p
    return jnp.stack([-source * jnp.expm1(-t / (r * c))])


MODEL = Model(
    name="parameter_units",
    vector_field=vector_field,
    states={"V": (0.0, "V")},
    parameters={"R": (1e6, "ohm"), "C": (1e-12, "F"), "E": (1.0, "V")},
    t_end=5e-6,
    time_unit="s",
    exact_solution=exact_solution,
    mechanism="dependence on parameter units",
    regime="bad",
    description=(
        "dV/dC is of the order 1e12 and dV/dR of 1e-6: an error norm that sees them as they are "
        "controls the first and not the second; in units scaled by p they are equal."
    ),
    citation=(
        "T. Maly, L. R. Petzold, Numerical methods and software for sensitivity analysis of "
        "differential-algebraic systems, Applied Numerical Mathematics 20 (1996) 57-79."
    ),
)
