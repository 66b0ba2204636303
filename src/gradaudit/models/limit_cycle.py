"""A limit cycle whose phase drifts with the frequency: the Stuart-Landau oscillator."""

import jax.numpy as jnp

from gradaudit import Model


def vector_field(t, y, p):
    """r' = r (1 - r^2), theta' = w, in Cartesian coordinates."""
    x, z = y
    (w,) = p
    pull = 1.0 - x * x - z * z
    return jnp.stack([pull * x - w * z, pull * z + w * x])


def exact_solution(t, p):
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
    axes={"t_end": (20.0, 50.0, 100.0, 200.0, 500.0)},
    mechanism="phase drift on a limit cycle",
    regime="bad",
    description=(
        "The derivative with respect to the frequency grows like t, and an error of the phase "
        "grows with the window: bad to horrible for traces, harmless for period and amplitude."
    ),
    citation=(
        "A. K. Wilkins, B. Tidor, J. White, P. I. Barton, Sensitivity analysis for oscillating "
        "dynamical systems, SIAM Journal on Scientific Computing 31 (2009) 2706-2732."
    ),
)
