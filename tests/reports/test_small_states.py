"""States far below their tolerance, exact zeros, sizes far apart, and scales of time."""

from __future__ import annotations

import jax.numpy as jnp
import mpmath as mp
import pytest

from reports.models import model
from reports.outcome import Case, check, params

ALL = ("reference", "forward_ad", "checked")
LOOSE = {"rtol": 1e-6, "estimate": True}


def _logistic(t, y, p):
    return [p[0] * y[0] * (1.0 - y[0] / p[1])]


def _grown(seed):
    def solution(t, p):
        y0 = mp.mpf(seed)
        e = mp.exp(p[0] * t)
        return [y0 * e / (1 + y0 * (e - 1) / p[1])]

    return solution


def _amplified(seed, t_end, **options):
    return {
        "build": lambda: model(_logistic, [seed], [1.0, 1.0], t_end=t_end),
        "solution": _grown(seed),
        "times": (t_end / 2, t_end),
        "ways": ALL,
    } | options


def _chain(t, p):
    """y0 decays into y1, which decays into y2; all begin at 1e-11 or 0."""
    a, b = p
    return [
        mp.mpf(1e-11) * mp.exp(-a * t),
        mp.mpf(1e-11) * a / (b - a) * (mp.exp(-a * t) - mp.exp(-b * t)),
    ]


def _linear(t, p):
    return [mp.exp(p[0] * t) * p[1]]


CASES = [
    Case("logistic_from_1e_9", **_amplified(1e-9, 25.0, options=LOOSE, quick=ALL)),
    Case("logistic_from_1e_12", **_amplified(1e-12, 32.0, options=LOOSE, quick=ALL)),
    Case("logistic_from_1e_15", **_amplified(1e-15, 40.0, options=LOOSE)),
    Case("logistic_from_1e_9_at_atol_1e_6", **_amplified(1e-9, 25.0, quick=("checked",),
         options=LOOSE | {"atol": 1e-6})),
    Case("logistic_from_1e_9_at_atol_1e_9", **_amplified(1e-9, 25.0,
         options=LOOSE | {"atol": 1e-9})),
    Case("logistic_from_1e_12_at_atol_1e_9", **_amplified(1e-12, 32.0, quick=("checked",),
         options=LOOSE | {"atol": 1e-9})),
    Case("logistic_from_1e_9_at_atol_1e_18", **_amplified(1e-9, 25.0,
         options=LOOSE | {"atol": 1e-18}, expected={"checked": "right", "forward_ad": "right"})),
    Case("a_seed_beside_a_large_state", lambda: model(
         lambda t, y, p: [p[0] * y[0], -p[1] * y[1]], [1e-10, 1.0], [1.0, 0.5], t_end=25.0),
         lambda t, p: [mp.mpf(1e-10) * mp.exp(p[0] * t), mp.exp(-p[1] * t)], times=(10.0, 25.0),
         ways=ALL, quick=ALL, options=LOOSE),
    Case("a_seed_that_comes_from_nothing", lambda: model(
         lambda t, y, p: [-p[0] * y[0], 1e-12 * p[1] * y[0] + y[1]], [1.0, 0.0], [1.0, 1.0],
         t_end=28.0),
         lambda t, p: [mp.exp(-p[0] * t), mp.mpf(1e-12) * p[1] * (mp.exp(t) - mp.exp(-p[0] * t))
                       / (1 + p[0])], times=(14.0, 28.0), ways=ALL, quick=ALL, options=LOOSE),
    Case("a_seed_that_is_a_parameter", lambda: model(
         lambda t, y, p: [p[0] * y[0]], [0.0], [1.0, 1e-12], t_end=28.0,
         initial_state=lambda p: jnp.stack([p[1]])), _linear, times=(14.0, 28.0), ways=ALL,
         options=LOOSE),
    Case("a_state_that_sinks_and_returns", lambda: model(
         lambda t, y, p: [p[0] * (t - 8.0) * y[0]], [1.0], [1.0], t_end=16.0),
         lambda t, p: [mp.exp(p[0] * ((t - 8) ** 2 - 64) / 2)], times=(8.0, 15.0, 16.0), ways=ALL,
         quick=ALL, options=LOOSE),
    Case("a_chain_of_small_states", lambda: model(
         lambda t, y, p: [-p[0] * y[0], p[0] * y[0] - p[1] * y[1]], [1e-11, 0.0], [0.7, 1.9]),
         _chain, ways=ALL, quick=ALL, options=LOOSE),
    Case("a_column_that_is_zero_by_cancellation", lambda: model(
         lambda t, y, p: [-p[0] * p[1] * y[0] / p[0]], [1.0], [0.3, 0.7]),
         lambda t, p: [mp.exp(-p[1] * t)], ways=ALL, quick=ALL,
         expected={"reference": "right"}),
    Case("only_a_zero_column", lambda: model(
         lambda t, y, p: [-p[0] * y[0] / p[0]], [1.0], [0.3]), lambda t, p: [mp.exp(-t)], ways=ALL,
         quick=ALL, expected={"reference": "right"}),
    Case("an_inhibitor_at_dose_0", lambda: model(
         lambda t, y, p: [-p[0] * p[1] * y[0] / (p[1] + p[2])], [1.0],
         [0.7, 1.51121996768986, 0.0]), lambda t, p: [mp.exp(-p[0] * p[1] * t / (p[1] + p[2]))],
         ways=ALL, quick=ALL, expected={"reference": "right"}),
    Case("a_column_that_nearly_vanishes", lambda: model(
         lambda t, y, p: [-p[0] * y[0] + 1e-15 * p[1]], [1.0], [0.7, 1.0]),
         lambda t, p: [mp.exp(-p[0] * t) + mp.mpf(1e-15) * p[1] * (1 - mp.exp(-p[0] * t)) / p[0]],
         ways=ALL, expected={"reference": "right"}),
    Case("a_column_of_1e_30", lambda: model(
         lambda t, y, p: [-p[0] * y[0] + 1e-30 * p[1]], [1.0], [0.7, 1.0]),
         lambda t, p: [mp.exp(-p[0] * t) + mp.mpf(1e-30) * p[1] * (1 - mp.exp(-p[0] * t)) / p[0]],
         ways=("reference",)),
    Case("a_column_of_1e_30_by_cancellation", lambda: model(
         lambda t, y, p: [-p[0] * y[0] * (p[1] + 1e-30 * p[2]) / p[1]], [1.0], [0.7, 0.3, 1.1]),
         lambda t, p: [mp.exp(-p[0] * t * (p[1] + mp.mpf(1e-30) * p[2]) / p[1])],
         ways=("reference",)),
    Case("parameters_of_0", lambda: model(
         lambda t, y, p: [p[0] - p[1] * y[0]], [0.0], [0.0, 0.0]),
         lambda t, p: [p[0] * (1 - mp.exp(-p[1] * t)) / p[1] if p[1] else p[0] * t], ways=ALL,
         quick=ALL, expected={"reference": "right"}),
    Case("states_1e20_apart", lambda: model(
         lambda t, y, p: [-p[0] * y[0], p[0] * y[0] * 1e-20 - p[1] * y[1]], [1e10, 0.0],
         [0.7, 1.9]), lambda t, p: [mp.mpf(1e10) * mp.exp(-p[0] * t), mp.mpf(1e10) * mp.mpf(1e-20)
         * p[0] / (p[1] - p[0]) * (mp.exp(-p[0] * t) - mp.exp(-p[1] * t))], ways=ALL, quick=ALL,
         expected={"reference": "right"}),
    Case("a_window_of_1e_9", lambda: model(
         lambda t, y, p: [-p[0] * y[0]], [1.0], [2e9], t_end=1e-9),
         lambda t, p: [mp.exp(-p[0] * t)], times=(0.0, 4e-10, 1e-9), ways=ALL, quick=ALL,
         expected={"reference": "right", "checked": "right"}),
    Case("a_window_of_1e9", lambda: model(
         lambda t, y, p: [-p[0] * y[0]], [1.0], [2e-9], t_end=1e9),
         lambda t, p: [mp.exp(-p[0] * t)], times=(0.0, 4e8, 1e9), ways=ALL,
         expected={"reference": "right", "checked": "right"}),
    Case("a_very_long_window_of_decay", lambda: model(
         lambda t, y, p: [p[1] - p[0] * y[0]], [1.0], [1.0, 2.0], t_end=1e5),
         lambda t, p: [p[1] / p[0] + (1 - p[1] / p[0]) * mp.exp(-p[0] * t)], times=(1e4, 1e5),
         ways=ALL),
    Case("a_very_long_oscillation", lambda: model(
         lambda t, y, p: [p[0] * y[1], -p[0] * y[0]], [1.0, 0.0], [1.0], t_end=2000.0),
         lambda t, p: [mp.cos(p[0] * t), -mp.sin(p[0] * t)], times=(1000.0, 2000.0), ways=ALL,
         options=LOOSE),
    Case("a_short_pulse_in_a_long_window", lambda: model(
         lambda t, y, p: [p[0] * jnp.exp(-(((t - 50.0) / 0.01) ** 2))], [0.0], [1.0], t_end=100.0),
         lambda t, p: [p[0] * mp.mpf(0.01) * mp.sqrt(mp.pi) / 2
                       * (mp.erf((t - 50) / mp.mpf(0.01)) + mp.erf(50 / mp.mpf(0.01)))],
         times=(25.0, 100.0), ways=ALL, quick=("reference", "checked")),
]  # fmt: skip


@pytest.mark.sampled(48)
@pytest.mark.parametrize(("case", "way"), params(CASES))
def test_never_silently_wrong(case, way):
    check(case, way)
