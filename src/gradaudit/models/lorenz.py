"""Lorenz's equations: chaos, with the length of the window as an axis."""

import jax.numpy as jnp

from gradaudit import Model


def vector_field(t, y, p):
    """x' = sigma (y - x), y' = x (rho - z) - y, z' = x y - beta z."""
    x, y_, z = y
    sigma, rho, beta = p
    return jnp.stack([sigma * (y_ - x), x * (rho - z) - y_, x * y_ - beta * z])


MODEL = Model(
    name="lorenz",
    vector_field=vector_field,
    states={"x": (1.0, "1"), "y": (1.0, "1"), "z": (1.0, "1")},
    parameters={"sigma": (10.0, "1"), "rho": (28.0, "1"), "beta": (8.0 / 3.0, "1")},
    t_end=20.0,
    time_unit="1",
    observables=("z",),
    axes={"t_end": (5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 60.0)},
    mechanism="chaos",
    regime="horrible",
    description=(
        "Tangents grow like exp(0.9 t), and so does their relative error: at a tolerance of 1e-9 "
        "the last digit is gone near t = 30."
    ),
    citation=(
        "E. N. Lorenz, Deterministic nonperiodic flow, Journal of the Atmospheric Sciences 20 "
        "(1963) 130-141."
    ),
)
