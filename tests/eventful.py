"""Small models with events and closed forms, for tests of the reference and of the solvers.

A setting is one object for the whole session, so that what is compiled for it is found again.
"""

from functools import cache

import jax.numpy as jnp

from gradaudit import Event, Model


@cache
def bouncing_ball(height=1.0, gravity=9.81, restitution=0.8, t_end=1.5) -> Model:
    """Dropped from rest; `t_end` comes after the second bounce."""

    def exact(t, p):
        g, e, h = p
        fall = jnp.sqrt(2.0 * h / g)
        speed, start = g * fall, fall
        x, v = h - g * t**2 / 2.0, -g * t
        for _ in range(4):
            speed = e * speed
            since = t - start
            x = jnp.where(since >= 0.0, speed * since - g * since**2 / 2.0, x)
            v = jnp.where(since >= 0.0, speed - g * since, v)
            start = start + 2.0 * speed / g
        return jnp.stack([x, v])

    return Model(
        name="ball",
        vector_field=lambda t, y, p: jnp.stack([y[1], -p[0]]),
        states={"x": (height, "m"), "v": (0.0, "m/s")},
        parameters={"g": (gravity, "m/s^2"), "e": (restitution, "1"), "h": (height, "m")},
        initial_state=lambda p: jnp.stack([p[2], 0.0 * p[2]]),
        t_end=t_end,
        events={
            "bounce": Event(
                when=lambda t, y, p: y[0],
                direction=-1,
                jump=lambda t, y, p: jnp.stack([0.0 * y[0], -p[1] * y[1]]),
            )
        },
        exact_solution=exact,
    )


@cache
def switch_in_time(off=1.003) -> Model:
    """y' = 1 up to t = p, then 0."""
    return Model(
        name="switch_in_time",
        vector_field=lambda t, y, p: jnp.where(t < p, 1.0, 0.0),
        states={"y": (0.0, "1")},
        parameters={"p": (off, "s")},
        t_end=2.0,
        events={"off": Event(when=lambda t, y, p: t - p[0])},
        exact_solution=lambda t, p: jnp.minimum(t, p),
    )


@cache
def switch_in_state(threshold=1.003) -> Model:
    """y' = 1 up to y = p, then 2."""
    return Model(
        name="switch_in_state",
        vector_field=lambda t, y, p: jnp.where(y < p, 1.0, 2.0),
        states={"y": (0.0, "1")},
        parameters={"p": (threshold, "1")},
        t_end=2.0,
        events={"on": Event(when=lambda t, y, p: y[0] - p[0])},
        exact_solution=lambda t, p: jnp.maximum(t, 2.0 * t - p),
    )


@cache
def rectified(frequency=1.3) -> Model:
    """y' = max(sin(w t), 0): written with maximum, abs and clip in three states."""

    def exact(t, p):
        w = p[0]
        phase = w * t
        half = jnp.floor(phase / jnp.pi)
        inside = phase - half * jnp.pi
        up = jnp.where(jnp.mod(half, 2.0) == 0.0, 1.0, 0.0)
        whole = 2.0 * jnp.ceil(half / 2.0)  # each positive half wave has the integral 2 / w
        positive = (whole + up * (1.0 - jnp.cos(inside))) / w
        absolute = (2.0 * half + 1.0 - jnp.cos(inside)) / w
        return jnp.stack([positive, absolute, positive])

    def vector_field(t, y, p):
        s = jnp.sin(p[0] * t)
        return jnp.stack([jnp.maximum(s, 0.0), jnp.abs(s), jnp.clip(s, 0.0, 2.0)])

    return Model(
        name="rectified",
        vector_field=vector_field,
        states={"positive": (0.0, "1"), "absolute": (0.0, "1"), "clipped": (0.0, "1")},
        parameters={"w": (frequency, "rad/s")},
        t_end=7.0,
        events={"zero": Event(when=lambda t, y, p: jnp.sin(p[0] * t))},
        exact_solution=exact,
    )


@cache
def integrate_and_fire(current=1.5, tau=10.0, threshold=1.0) -> Model:
    """V' = (I - V) / tau, reset to 0 at the threshold."""

    def exact(t, p):
        i, tau, v = p
        period = -tau * jnp.log1p(-v / i)
        since = t - period * jnp.floor(t / period)
        return jnp.stack([i * -jnp.expm1(-since / tau)])

    return Model(
        name="integrate_and_fire",
        vector_field=lambda t, y, p: (p[0] - y) / p[1],
        states={"V": (0.0, "mV")},
        parameters={"I": (current, "mV"), "tau": (tau, "ms"), "threshold": (threshold, "mV")},
        t_end=40.0,
        events={
            "spike": Event(
                when=lambda t, y, p: y[0] - p[2], direction=1, jump=lambda t, y, p: 0.0 * y
            )
        },
        exact_solution=exact,
    )


MODELS = (switch_in_time, bouncing_ball, switch_in_state, rectified, integrate_and_fire)
