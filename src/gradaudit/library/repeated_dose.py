"""A drug taken twice: the second dose is a jump at a time that is a parameter."""

import jax.numpy as jnp

from gradaudit import Event, Model
from gradaudit.backend.shapes import Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """G' = -ka G, A' = ka G - ke A."""
    absorbed = p[1] * y[0]
    return jnp.stack([-absorbed, absorbed - p[2] * y[1]])


def take(t: Scalar, y: Vector, p: Vector) -> Vector:
    """The gut gets another dose."""
    return jnp.stack([y[0] + p[0], y[1]])


def initial_state(p: Vector) -> Vector:
    """The first dose is in the gut."""
    return jnp.stack([p[0], jnp.zeros_like(p[0])])


def one_dose(s: Scalar, p: Vector) -> Vector:
    """Gut and blood s hours after a dose: Bateman's function; nothing before it."""
    dose, ka, ke, _ = p
    taken, s = s >= 0.0, jnp.maximum(s, 0.0)
    gut = jnp.exp(-ka * s)
    blood = -ka / (ka - ke) * jnp.exp(-ke * s) * jnp.expm1(-(ka - ke) * s)
    return jnp.where(taken, dose * jnp.stack([gut, blood]), 0.0)


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """The sum over both doses."""
    return one_dose(t, p) + one_dose(t - p[3], p)


MODEL = Model(
    name="repeated_dose",
    vector_field=vector_field,
    states={"G": (100.0, "mg"), "A": (0.0, "mg")},
    parameters={
        "D": (100.0, "mg"),
        "ka": (1.2, "1/h"),
        "ke": (0.2, "1/h"),
        "t_second": (8.05, "h"),
    },
    t_end=24.0,
    time_unit="h",
    initial_state=initial_state,
    exact_solution=exact_solution,
    events={"dose": Event(when=lambda t, y, p: t - p[3], direction=1, jump=take)},
    observables=("A",),
    mechanism="events with jumps",
    regime="horrible",
    description=(
        "Absorption from the gut and elimination from the blood. The derivative with respect to "
        "the time of the second dose is 0 unless the jump's time is differentiated."
    ),
    citation=(
        "H. Bateman, The solution of a system of differential equations occurring in the theory of "
        "radio-active transformations, Proceedings of the Cambridge Philosophical Society 15 "
        "(1910) 423-427."
    ),
)
