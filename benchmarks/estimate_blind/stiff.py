"""Stiff problems of textbooks, for the regimes in which stability limits the steps.

Equations and numbers: Hairer and Wanner, Solving Ordinary Differential Equations II (1996), IV.10
(OREGO); Mazzia and Magherini, Test Set for IVP Solvers 2.4 (2008) (chemical Akzo
Nobel); Gear (1971); O'Malley (1991) (combustion); Segel and Slemrod (1989) (enzyme kinetics).
Windows are short enough for an explicit solver.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

OBSERVATIONS = 11
Field = Callable[[Any, Any, Any], Any]


def _orego(t: Any, y: Any, p: Any) -> Any:
    a, b, c = p
    return jnp.stack(
        [
            a * (y[1] + y[0] * (1.0 - b * y[0] - y[1])),
            (y[2] - (1.0 + y[0]) * y[1]) / a,
            c * (y[0] - y[2]),
        ]
    )


def _akzo(t: Any, y: Any, p: Any) -> Any:
    k1, k2, k3, k4, big, kla, ks, pressure = p
    r1 = k1 * y[0] ** 4 * jnp.sqrt(y[1])
    r2, r3 = k2 * y[2] * y[3], k2 / big * y[0] * y[4]
    r4, r5 = k3 * y[0] * y[3] ** 2, k4 * y[5] ** 2 * jnp.sqrt(y[1])
    inflow = kla * (pressure / 737.0 - y[1])
    return jnp.stack(
        [
            -2 * r1 + r2 - r3 - r4,
            -0.5 * r1 - r4 - 0.5 * r5 + inflow,
            r1 - r2 + r3,
            -r2 + r3 - 2 * r4,
            r2 - r3 + r5,
            ks * y[0] * y[3] - y[5],
        ]
    )


def _combustion(t: Any, y: Any, p: Any) -> Any:
    return p[0] * y**2 * (1.0 - p[1] * y)


def _enzyme(t: Any, y: Any, p: Any) -> Any:
    on, off, cat, total = p
    bind = on * y[0] * (total - y[1]) - off * y[1]
    return jnp.stack([-bind, bind - cat * y[1], cat * y[1]])


def _gear(t: Any, y: Any, p: Any) -> Any:
    a, b, c = p
    return jnp.stack(
        [
            -a * y[0] - b * y[0] * y[2],
            -c * y[1] * y[2],
            -a * y[0] - b * y[0] * y[2] - c * y[1] * y[2],
        ]
    )


def _cascade(t: Any, y: Any, p: Any) -> Any:
    return jnp.stack(
        [p[0] * jnp.cos(t) - p[1] * y[0], p[1] * y[0] - p[2] * y[1], p[2] * y[1] - p[3] * y[2]]
    )


def _diffusion(t: Any, y: Any, p: Any) -> Any:
    d, growth, capacity = p
    padded = jnp.concatenate([y[:1], y, y[-1:]])
    spread = d * (padded[2:] - 2.0 * y + padded[:-2])
    return spread + growth * y * (1.0 - y / capacity)


def _brusselator(t: Any, y: Any, p: Any) -> Any:
    a, b, d = p
    u, v = y[:6], y[6:]

    def spread(x: Any, edge: Any) -> Any:
        padded = jnp.concatenate([jnp.reshape(edge, 1), x, jnp.reshape(edge, 1)])
        return d * (padded[2:] - 2.0 * x + padded[:-2])

    reaction = u**2 * v
    return jnp.concatenate(
        [a + reaction - (b + 1.0) * u + spread(u, a), b * u - reaction + spread(v, b / a)]
    )


def _fitzhugh(t: Any, y: Any, p: Any) -> Any:
    eps, a, b, current = p
    return jnp.stack([(y[0] - y[0] ** 3 / 3.0 - y[1] + current) / eps, y[0] + a - b * y[1]])


def _epidemic(t: Any, y: Any, p: Any) -> Any:
    beta, gamma, fast = p
    infection = beta * y[0] * y[2]
    return jnp.stack(
        [-infection, infection - fast * y[1], fast * y[1] - gamma * y[2], gamma * y[2]]
    )


def _slaved(t: Any, y: Any, p: Any) -> Any:
    fast, slow, coupling = p
    return jnp.stack(
        [
            -fast * (y[0] - jnp.tanh(y[1])),
            -slow * y[1] + coupling * y[2],
            slow * (1.0 - y[2]) - coupling * y[0] * y[2],
        ]
    )


PROBLEMS: dict[str, tuple[Field, list[float], list[float], float]] = {
    "orego": (_orego, [1.0, 2.0, 3.0], [77.27, 8.375e-6, 0.161], 8.0),
    "akzo": (
        _akzo, [0.437, 0.00123, 0.0, 0.007, 0.0, 115.83 * 0.437 * 0.007],
        [18.7, 0.58, 0.09, 0.42, 34.4, 3.3, 115.83, 0.9], 60.0,
    ),
    "combustion": (_combustion, [0.02], [1.0, 1.0], 200.0),
    "enzyme": (_enzyme, [1.0, 0.0, 0.0], [200.0, 100.0, 5.0, 0.1], 30.0),
    "gear": (_gear, [1.0, 1.0, 0.0], [0.013, 1000.0, 2500.0], 1.0),
    "cascade": (_cascade, [1.0, 0.0, 0.0], [1.0, 300.0, 40.0, 1.0], 10.0),
    "diffusion": (_diffusion, [1.0] + [0.01] * 9, [50.0, 1.0, 2.0], 6.0),
    "brusselator_chain": (_brusselator, [1.5] * 6 + [3.0] * 6, [1.0, 3.0, 40.0], 8.0),
    "fitzhugh_fast": (_fitzhugh, [-1.0, 1.0], [0.01, 0.7, 0.8, 0.5], 6.0),
    "epidemic_fast": (_epidemic, [0.999, 0.001, 0.0, 0.0], [0.5, 0.1, 100.0], 60.0),
    "slaved": (_slaved, [0.3, 0.5, 0.2], [400.0, 0.7, 1.3], 10.0),
}  # fmt: skip
"""Vector field, initial state, parameters and end of the window of each."""


def problem(name: str) -> Any:
    """One of `PROBLEMS` as a model."""
    from gradaudit import Model

    field, start, values, t_end = PROBLEMS[name]
    return Model(
        name=f"stiff_{name}",
        vector_field=field,
        states={f"y{k}": (float(v), "") for k, v in enumerate(start)},
        parameters={f"p{k}": (float(v), "") for k, v in enumerate(values)},
        t_end=t_end,
        observations=OBSERVATIONS,
    )
