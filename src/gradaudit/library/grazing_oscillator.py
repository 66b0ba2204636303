"""An oscillator that hits a wall, the more gently the closer the wall is to its amplitude."""

import jax.numpy as jnp

from gradaudit import Event, Model
from gradaudit.backend.shapes import Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """x'' = -w^2 x, as x' = w v, v' = -w x."""
    return p[0] * jnp.stack([y[1], -y[0]])


def hit(t: Scalar, y: Vector, p: Vector) -> Vector:
    """v -> -e v."""
    return jnp.stack([y[0], -p[1] * y[1]])


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """cos(w t) until x = -c; then from there with the speed e sqrt(1 - c^2), away from the wall."""
    w, e, c = p
    speed = jnp.sqrt((1.0 - c) * (1.0 + c))
    phase = w * t
    since = phase - jnp.arctan2(speed, -c)
    before = jnp.stack([jnp.cos(phase), -jnp.sin(phase)])
    after = jnp.stack(
        [
            e * speed * jnp.sin(since) - c * jnp.cos(since),
            e * speed * jnp.cos(since) + c * jnp.sin(since),
        ]
    )
    return jnp.where(since < 0.0, before, after)


def at(depth: float = 0.01) -> Model:
    """The model with its wall `depth` within the amplitude, which is 1."""
    return Model(
        name="grazing_oscillator",
        vector_field=vector_field,
        states={"x": (1.0, "1"), "v": (0.0, "1")},
        parameters={"w": (1.0, "rad/s"), "e": (0.8, "1"), "c": (1.0 - depth, "1")},
        t_end=6.0,
        time_unit="s",
        observations=121,
        exact_solution=exact_solution,
        events={"hit": Event(when=lambda t, y, p: y[0] + p[2], direction=-1, jump=hit)},
        axes={"depth": (0.5, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6)},
        observables=("x", "v"),
        mechanism="grazing event",
        regime="horrible",
        description=(
            "The speed at the wall is about sqrt(2 depth) and the derivative of the time of the "
            "hit its inverse: at grazing there is no derivative."
        ),
        citation=(
            "A. B. Nordmark, Non-periodic motion caused by grazing incidence in an impact "
            "oscillator, Journal of Sound and Vibration 145 (1991) 279-297."
        ),
    )


MODEL = at()
