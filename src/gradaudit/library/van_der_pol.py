"""Van der Pol's oscillator, from nearly harmonic to very stiff."""

import math

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector

# Of a relaxation oscillation. Explicit steps are about 5 / mu long, on all of the window.
PERIODS, STIFF_PERIODS = 2.5, 0.6


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """x'' = mu (1 - x^2) x' - w^2 x."""
    x, v = y
    mu, w = p
    return jnp.stack([v, mu * (1.0 - x * x) * v - w * w * x])


def at(mu: float = 10.0) -> Model:
    """The oscillator with the damping `mu`, over some periods; over one jump if it is stiff."""
    period = (3.0 - 2.0 * math.log(2.0)) * mu + 2.0 * math.pi  # within 30 %, for every mu
    return Model(
        name="van_der_pol",
        vector_field=vector_field,
        states={"x": (2.0, "1"), "v": (0.0, "1/s")},
        parameters={"mu": (mu, "1/s"), "w": (1.0, "rad/s")},
        t_end=float(math.ceil((PERIODS if mu <= 100.0 else STIFF_PERIODS) * period)),
        time_unit="s",
        axes={"mu": (1.0, 10.0, 100.0, 1000.0)},
        mechanism="phase drift on a limit cycle",
        regime="bad",
        description=(
            "Relaxation oscillation; mu is its stiffness, and the tangents peak where x jumps, "
            "the higher the larger mu."
        ),
        citation=(
            "B. van der Pol, On relaxation-oscillations, Philosophical Magazine, series 7, 2 "
            "(1926) 978-992."
        ),
    )


MODEL = at()
