"""A limit cycle whose phase drifts with the frequency: the Stuart-Landau oscillator.

With the axis ``windows`` the trace is cut into that many windows, each of which begins at data; see
`gradaudit.shooting`.
"""

from dataclasses import replace

import jax.numpy as jnp

from gradaudit import Model, shooting
from gradaudit.backend.shapes import Scalar, Vector
from gradaudit.model.multiple_shooting import simulated_data


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """r' = r (1 - r^2), theta' = w, in Cartesian coordinates."""
    x, z = y
    (w,) = p
    pull = 1.0 - x * x - z * z
    return jnp.stack([pull * x - w * z, pull * z + w * x])


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """On the cycle: x = cos(w t), z = sin(w t)."""
    (w,) = p
    return jnp.stack([jnp.cos(w * t), jnp.sin(w * t)])


MODEL = Model(
    name="limit_cycle",
    vector_field=vector_field,
    states={"x": (1.0, "1"), "z": (0.0, "1")},
    parameters={"w": (1.0, "rad/s")},
    t_end=200.0,
    time_unit="s",
    exact_solution=exact_solution,
    observables=("x", "z"),
    axes={"t_end": (20.0, 50.0, 100.0, 200.0, 500.0), "windows": (1.0, 10.0)},
    mechanism="phase drift on a limit cycle",
    regime="bad",
    description=(
        "The derivative with respect to the frequency grows like t, and an error of the phase "
        "grows with the window. On an observation grid the largest value depends on the phase as "
        "well."
    ),
    citation=(
        "A. K. Wilkins, B. Tidor, J. White, P. I. Barton, Sensitivity analysis for oscillating "
        "dynamical systems, SIAM Journal on Scientific Computing 31 (2009) 2706-2732."
    ),
)


def at(t_end: float = MODEL.t_end, windows: float = 1.0) -> Model:
    """The model up to `t_end`, in one piece or in `windows` that each start from data."""
    whole = replace(MODEL, t_end=t_end)
    if windows == 1:
        return whole
    data = simulated_data(whole, windows)
    starts = jnp.concatenate([jnp.asarray(whole.declared_state)[None], data])
    length = t_end / windows

    def exact_in_windows(t: Scalar, p: Vector) -> Vector:
        """From (r, theta) at the start of a window: r^2 / (1 - r^2) grows like exp(2 t)."""
        (w,) = p
        number = jnp.clip(jnp.floor(t / length), 0, windows - 1)
        since = t - number * length
        x, z = starts[number.astype(int)]
        square = x * x + z * z
        size = 1.0 / jnp.sqrt(square + (1.0 - square) * jnp.exp(-2.0 * since))
        c, s = size * jnp.cos(w * since), size * jnp.sin(w * since)
        return jnp.stack([c * x - s * z, s * x + c * z])

    return replace(
        shooting(whole, windows=windows, data=data),
        exact_solution=exact_in_windows,
        regime="",
        description=(
            "The solution starts again from data at the end of each window, and its tangents from "
            "0: neither grows nor drifts for longer than a window."
        ),
    )
