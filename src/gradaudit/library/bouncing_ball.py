"""A ball that bounces: jumps of the state at times that depend on all parameters."""

import jax.numpy as jnp

from gradaudit import Event, Model
from gradaudit.backend.shapes import Scalar, Vector

MOST_BOUNCES = 8  # that the closed form follows


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """h' = v, v' = -g."""
    return jnp.stack([y[1], -p[0]])


def bounce(t: Scalar, y: Vector, p: Vector) -> Vector:
    """v -> -e v."""
    return jnp.stack([y[0], -p[1] * y[1]])


def initial_state(p: Vector) -> Vector:
    """At rest at the height h0."""
    return jnp.stack([p[2], jnp.zeros_like(p[2])])


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """A parabola after every bounce; the flights are shorter by e from one to the next."""
    g, e, h0 = p
    impact_speed = jnp.sqrt(2.0 * g * h0)
    rebound = impact_speed * e ** jnp.arange(1.0, MOST_BOUNCES + 1.0)
    flights = jnp.concatenate([(impact_speed / g)[None], 2.0 * rebound / g])
    impacts = jnp.cumsum(flights)[:-1]
    count = jnp.sum(t >= impacts)
    since = t - jnp.concatenate([jnp.zeros(1), impacts])[count]
    height = jnp.where(count == 0, h0, 0.0)
    speed = jnp.concatenate([jnp.zeros(1), rebound])[count]
    return jnp.stack([height + speed * since - 0.5 * g * since**2, speed - g * since])


MODEL = Model(
    name="bouncing_ball",
    vector_field=vector_field,
    states={"h": (1.0, "m"), "v": (0.0, "m/s")},
    parameters={"g": (9.81, "m/s^2"), "e": (0.8, "1"), "h0": (1.0, "m")},
    t_end=2.0,
    time_unit="s",
    initial_state=initial_state,
    exact_solution=exact_solution,
    events={"bounce": Event(when=lambda t, y, p: y[0], direction=-1, jump=bounce)},
    observables=("h", "v"),
    mechanism="events with jumps",
    regime="horrible",
    description=(
        "Three bounces within the window: the times of the jumps depend on the parameters, and a "
        "derivative that leaves that out is wrong from the first bounce on."
    ),
    citation=(
        "I. A. Hiskens, M. A. Pai, Trajectory sensitivity analysis of hybrid systems, IEEE "
        "Transactions on Circuits and Systems I 47 (2000) 204-220."
    ),
)
