"""Lorenz's equations: chaos, with the length of the window as an axis.

With the axis ``windows`` the trace is cut into that many windows, each of which begins at data; see
`gradaudit.shooting`.
"""

from dataclasses import replace

import jax.numpy as jnp

from gradaudit import Model, shooting
from gradaudit.backend.shapes import Scalar, Vector
from gradaudit.model.multiple_shooting import simulated_data


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
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
    axes={
        "t_end": (5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 60.0),
        "windows": (1.0, 10.0, 30.0),
    },
    mechanism="chaos",
    regime="horrible",
    description=(
        "Chaos: in the mean over a long time perturbations grow like exp(0.9 t), and with them "
        "the tangents and their relative error. A window of a few time units may have another "
        "rate."
    ),
    citation=(
        "E. N. Lorenz, Deterministic nonperiodic flow, Journal of the Atmospheric Sciences 20 "
        "(1963) 130-141."
    ),
)


def at(t_end: float = MODEL.t_end, windows: float = 1.0) -> Model:
    """The model up to `t_end`, in one piece or in `windows` that each start from data."""
    whole = replace(MODEL, t_end=t_end)
    if windows == 1:
        return whole
    cut = shooting(whole, windows=windows, data=simulated_data(whole, windows))
    return replace(
        cut,
        regime="",
        description=(
            "The solution starts again from data at the end of each window, and its tangents from "
            "0: their growth is that of a window. With short windows the gradient is good."
        ),
    )
