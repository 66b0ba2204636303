"""A phase near a saddle-node on an invariant circle (SNIC): Adler's equation."""

import math

import jax
import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Matrix, Scalar, Vector

PERIODS = 3.0


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """theta' = w - sin(theta)."""
    return p - jnp.sin(y)


def ellipse(t: Scalar, w: Scalar) -> tuple[Scalar, Scalar]:
    """(cos, sin) of theta/2 up to a common factor; smooth in w also at w = 1.

    tan(theta/2) solves a Riccati equation, whose solution is the second over the first.
    """
    d = jnp.sqrt((w - 1.0) * (w + 1.0))
    c, s = jnp.cos(0.5 * d * t), jnp.sin(0.5 * d * t) / d
    return c + s, w * s


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """theta(t), unwrapped: d t plus an angle that never leaves (-2 pi, 2 pi), d^2 = w^2 - 1."""
    (w,) = p
    m, n = ellipse(t, w)
    half = 0.5 * t * jnp.sqrt((w - 1.0) * (w + 1.0))
    c, s = jnp.cos(half), jnp.sin(half)
    return jnp.stack([2.0 * (half + jnp.arctan2(n * c - m * s, m * c + n * s))])


def exact_sensitivities(t: Scalar, p: Vector) -> Matrix:
    """d theta/dw, from the slope of the ellipse."""
    (w,) = p
    (m, n), (dm, dn) = jax.jvp(lambda w: ellipse(t, w), (w,), (jnp.ones_like(w),))
    return (2.0 * (m * dn - n * dm) / (m * m + n * n)).reshape(1, 1)


def at(eps: float = 0.01) -> Model:
    """The model at w = 1 + `eps`, over three periods."""
    w = 1.0 + eps
    return Model(
        name="snic",
        vector_field=vector_field,
        states={"theta": (0.0, "rad")},
        parameters={"w": (w, "rad/s")},
        t_end=PERIODS * 2.0 * math.pi / math.sqrt((w - 1.0) * (w + 1.0)),
        time_unit="s",
        exact_solution=exact_solution,
        exact_sensitivities=exact_sensitivities,
        axes={"eps": (1.0, 1e-1, 1e-2, 1e-3, 1e-4)},
        mechanism="near a bifurcation",
        regime="horrible",
        description=(
            "The period 2 pi / sqrt(w^2 - 1) and its slope diverge at w = 1: the phase lingers "
            "where a small error of the state becomes a long delay."
        ),
        citation=(
            "R. Adler, A study of locking phenomena in oscillators, Proceedings of the IRE 34 "
            "(1946) 351-357."
        ),
    )


MODEL = at()
