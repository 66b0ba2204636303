"""A drug infused for a while: a pulse in time, whose edges are parameters."""

import jax.numpy as jnp

from gradaudit import Event, Model
from gradaudit.backend.shapes import Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """A' = R - k A while the infusion runs, then -k A."""
    rate, k, start, duration = p
    running = (t >= start) & (t < start + duration)
    return jnp.where(running, rate, 0.0) - k * y


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """A = (R/k) (1 - exp(-k s)) after s hours of infusion; then it decays."""
    rate, k, start, duration = p
    infused = jnp.clip(t - start, 0.0, duration)
    after = jnp.clip(t - start - duration, 0.0, jnp.inf)
    return jnp.stack([-rate / k * jnp.expm1(-k * infused) * jnp.exp(-k * after)])


MODEL = Model(
    name="infusion",
    vector_field=vector_field,
    states={"A": (0.0, "mg")},
    parameters={
        "R": (10.0, "mg/h"),
        "k": (0.25, "1/h"),
        "t_start": (2.05, "h"),
        "duration": (3.5, "h"),
    },
    t_end=24.0,
    time_unit="h",
    exact_solution=exact_solution,
    events={
        "start": Event(when=lambda t, y, p: t - p[2], direction=1),
        "stop": Event(when=lambda t, y, p: t - p[2] - p[3], direction=1),
    },
    mechanism="discontinuous right-hand side",
    regime="horrible",
    description=(
        "One compartment. The amount has derivatives with respect to rate and elimination that "
        "are right; forward AD gives 0 for those with respect to the start and the duration of "
        "the infusion."
    ),
    citation="M. Gibaldi, D. Perrier, Pharmacokinetics, 2nd edition, Marcel Dekker, 1982.",
)
