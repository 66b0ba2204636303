"""NaN derivatives of finite fields, unusual calls, single precision and complex numbers."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import mpmath as mp
import pytest

from gradaudit import Event
from reports.models import at, model
from reports.outcome import Case, check, params

WAYS = ("reference", "forward_ad", "checked")
KNOTS = jnp.array([0.0, 0.3, 0.8, 1.0])
VALUES = jnp.array([0.0, 1.0, 0.5, 2.0])


def _interpolated(t, shift=0):
    """Integral from 0 to t of the interpolant of VALUES at KNOTS + shift, constant outside."""
    knots = [mp.mpf(float(k)) + shift for k in KNOTS]
    values = [mp.mpf(float(v)) for v in VALUES]
    total = values[0] * min(t, knots[0])
    for a, b, u, v in zip(knots, knots[1:], values, values[1:], strict=False):
        x = min(max(t, a), b) - a
        total += u * x + (v - u) * x**2 / (b - a) / 2
    return total + values[-1] * max(t - knots[-1], 0)


def _emptied(t, p):
    """y' = -p0 sqrt(y) from 1."""
    root = 1 - p[0] * t / 2
    return [root**2 if root > 0 else mp.mpf(0)]


def _steady(p):
    A = jnp.array([[2.0, 0.5], [0.3, 1.0]])
    return jnp.linalg.solve(A * p[0], jnp.stack([p[1], 1.0 + 0.0 * p[1]]))


def _steady_closed(t, p):
    det = mp.mpf(2.0) * 1 - mp.mpf(0.5) * mp.mpf(0.3)
    a = (p[1] - mp.mpf(0.5)) / det / p[0]
    b = (2 - mp.mpf(0.3) * p[1]) / det / p[0]
    return [a * mp.exp(-t), b * mp.exp(-t)]


def _solve_in_field(t, y, p):
    A = jnp.stack([jnp.stack([p[0], jnp.zeros(())]), jnp.stack([jnp.ones(()), p[1]])])
    return list(-jnp.linalg.solve(A, y))


def _solve_closed(t, p):
    """y0' = -y0 / p0, y1' = -(y1 - y0 / p0) / p1."""
    a, b = 1 / p[0], 1 / p[1]
    c = a * b / (b - a)
    return [mp.exp(-a * t), c * mp.exp(-a * t) - c * mp.exp(-b * t)]


CASES = [
    Case("sqrt_of_a_state_at_0", lambda: model(
         lambda t, y, p: [p[0] * jnp.sqrt(y[0]), -y[1]], [0.0, 1.0], [0.7]),
         lambda t, p: [mp.mpf(0), mp.exp(-t)], ways=WAYS, quick=WAYS),
    Case("power_of_a_state_at_0", lambda: model(
         lambda t, y, p: [-p[0] * y[0] ** 0.6, p[0] - y[1]], [0.0, 0.0], [0.7]),
         lambda t, p: [mp.mpf(0), p[0] * (1 - mp.exp(-t))], ways=WAYS, quick=("reference",)),
    Case("sqrt_of_a_state_that_empties", lambda: model(
         lambda t, y, p: [-p[0] * jnp.sqrt(y[0])], [1.0], [4.0]), _emptied, ways=WAYS),
    Case("sqrt_guarded_by_maximum", lambda: model(
         lambda t, y, p: [-p[0] * jnp.sqrt(jnp.maximum(y[0], 0.0))], [1.0], [4.0]), _emptied,
         ways=WAYS, quick=("reference", "checked")),
    Case("sqrt_that_empties_slowly", lambda: model(
         lambda t, y, p: [-p[0] * jnp.sqrt(y[0])], [1.0], [1.5]), _emptied, ways=WAYS,
         expected={"reference": "right"}),
    Case("exp_that_overflows", lambda: model(
         lambda t, y, p: [p[0] / (1.0 + jnp.exp(1000.0 * (t - p[1])))], [0.0], [0.7, 0.2]),
         lambda t, p: [p[0] * (t - (mp.log1p(mp.exp(1000 * (t - p[1])))
                       - mp.log1p(mp.exp(-1000 * p[1]))) / 1000)], ways=WAYS, quick=WAYS),
    Case("sigmoid_that_does_not_overflow", lambda: model(
         lambda t, y, p: [p[0] * jax.nn.sigmoid(1000.0 * (p[1] - t))], [0.0], [0.7, 0.2]),
         lambda t, p: [p[0] * (t - (mp.log1p(mp.exp(1000 * (t - p[1])))
                       - mp.log1p(mp.exp(-1000 * p[1]))) / 1000)], ways=WAYS),
    Case("where_with_a_nan_branch", lambda: model(
         lambda t, y, p: [jnp.where(t < p[1], p[0], jnp.sqrt(p[1] - t) * 0.0)], [0.0], [0.7, 0.4],
         events={"off": Event(when=at(1))}), lambda t, p: [p[0] * min(t, p[1])],
         ways=(*WAYS, "saltation"), quick=("reference", "saltation")),
    Case("where_twice", lambda: model(
         lambda t, y, p: [jnp.where(y[0] > 0.0, -p[0] * jnp.sqrt(
             jnp.where(y[0] > 0.0, y[0], 1.0)), 0.0)], [1.0], [4.0],
         events={"empty": Event(when=lambda t, y, p: y[0])}), _emptied,
         ways=(*WAYS, "saltation"), quick=("reference", "checked")),
    Case("division_0_by_0_at_the_start", lambda: model(
         lambda t, y, p: [p[0] * jnp.sin(t) / t - y[0]], [0.0], [0.7]),
         lambda t, p: [p[0] * mp.quad(lambda s: mp.sinc(s) * mp.exp(s - t), [0, t])], ways=WAYS),
    Case("sinc_at_the_start", lambda: model(
         lambda t, y, p: [p[0] * jnp.sinc(t / jnp.pi)], [0.0], [0.7]),
         lambda t, p: [p[0] * mp.si(t)], ways=WAYS),
    Case("norm_at_0", lambda: model(
         lambda t, y, p: [p[0] - jnp.linalg.norm(y), 0.0 * y[1]], [0.0, 0.0], [0.7]),
         lambda t, p: [p[0] * (1 - mp.exp(-t)), mp.mpf(0)], ways=WAYS),
    Case("log_of_a_state_at_0", lambda: model(
         lambda t, y, p: [-p[0] * y[0] * jnp.log(y[0]), p[0] + 0.0 * y[1]], [0.0, 0.0], [0.7]),
         lambda t, p: [mp.mpf(0), p[0] * t], ways=WAYS),
    Case("solve_in_the_initial_state", lambda: model(
         lambda t, y, p: [-y[0], -y[1]], [0.0, 0.0], [0.7, 1.3], initial_state=_steady),
         _steady_closed, ways=(*WAYS, "saltation"), quick=("reference", "checked")),
    Case("solve_in_the_field", lambda: model(_solve_in_field, [1.0, 0.0], [0.7, 1.3]),
         _solve_closed, ways=WAYS, quick=("reference",)),
    Case("inverse_in_the_field", lambda: model(
         lambda t, y, p: list(-jnp.linalg.inv(jnp.stack([jnp.stack([p[0], 0.0 * p[0]]), jnp.stack(
             [1.0 + 0.0 * p[0], p[1]])])) @ y), [1.0, 0.0], [0.7, 1.3]), _solve_closed, ways=WAYS),
    Case("exponential_of_a_matrix", lambda: model(
         lambda t, y, p: [-jax.scipy.linalg.expm(jnp.diag(jnp.stack([p[0], p[0]])))[0, 0] * y[0]],
         [1.0], [0.7]), lambda t, p: [mp.exp(-mp.exp(p[0]) * t)], ways=WAYS),
    Case("interpolated_table", lambda: model(
         lambda t, y, p: [p[0] * jnp.interp(t, KNOTS, VALUES)], [0.0], [0.7]),
         lambda t, p: [p[0] * _interpolated(t)], ways=WAYS, quick=("reference", "checked")),
    Case("interpolated_table_with_knots_declared", lambda: model(
         lambda t, y, p: [p[0] * jnp.interp(t, KNOTS, VALUES)], [0.0], [0.7],
         events={f"k{i}": Event(when=lambda t, y, p, k=k: t - k)
                 for i, k in enumerate((0.3, 0.8))}),
         lambda t, p: [p[0] * _interpolated(t)], ways=("reference", "saltation")),
    Case("interpolated_table_that_shifts", lambda: model(
         lambda t, y, p: [p[0] * jnp.interp(t - p[1], KNOTS, VALUES)], [0.0], [0.7, 0.05]),
         lambda t, p: [p[0] * _interpolated(t, p[1])], ways=WAYS, quick=("reference", "checked")),
    Case("a_step_table", lambda: model(
         lambda t, y, p: [p[0] * VALUES[jnp.searchsorted(KNOTS, t - p[1], side="right") - 1]],
         [0.0], [0.7, 0.05]), lambda t, p: [p[0] * sum(
             (mp.mpf(float(v)) * (min(max(t, a + p[1]), b + p[1]) - (a + p[1]))
              for v, a, b in zip([0, 1, 0.5], map(mp.mpf, map(float, KNOTS[:3])),
                                 map(mp.mpf, map(float, KNOTS[1:])), strict=True)), mp.mpf(0))
             if t < 1 + p[1] else mp.nan], ways=WAYS, quick=("reference", "checked"),
         times=(0.2, 1.0)),
    Case("single_precision_constants", lambda: model(
         lambda t, y, p: [-p[0] * jnp.float32(0.1) * y[0]], [1.0], [0.7]),
         lambda t, p: [mp.exp(-p[0] * mp.mpf(float(jnp.float32(0.1))) * t)], ways=WAYS,
         quick=WAYS),
    Case("single_precision_cast", lambda: model(
         lambda t, y, p: [-(p[0] * y[0]).astype(jnp.float32).astype(float)], [1.0], [0.7]),
         lambda t, p: [mp.exp(-p[0] * t)], ways=WAYS, quick=WAYS),
    Case("half_precision_constant", lambda: model(
         lambda t, y, p: [-p[0] * y[0] * jnp.asarray(0.3, jnp.bfloat16)], [1.0], [0.7]),
         lambda t, p: [mp.exp(-p[0] * mp.mpf(float(jnp.asarray(0.3, jnp.bfloat16))) * t)],
         ways=WAYS),
    Case("complex_inside_and_real_outside", lambda: model(
         lambda t, y, p: [-jnp.real(jnp.exp(1j * p[0])) * y[0]], [1.0], [0.7]),
         lambda t, p: [mp.exp(-mp.cos(p[0]) * t)], ways=WAYS),
    Case("rounded_parameter", lambda: model(
         lambda t, y, p: [-jnp.round(p[0]) * y[0]], [1.0], [0.7]), lambda t, p: [mp.exp(-t)],
         ways=WAYS),
    Case("stop_gradient", lambda: model(
         lambda t, y, p: [-jax.lax.stop_gradient(p[0]) * y[0]], [1.0], [0.7]),
         lambda t, p: [mp.exp(-p[0] * t)], ways=("reference",)),
    Case("a_wrong_custom_jvp", lambda: model(
         lambda t, y, p: [-_halved(p[0]) * y[0]], [1.0], [0.7]), lambda t, p: [mp.exp(-p[0] * t)],
         ways=("reference",)),
    Case("an_integer_power", lambda: model(
         lambda t, y, p: [-(p[0] ** 3) * y[0] ** 2], [1.0], [0.7]),
         lambda t, p: [1 / (1 + p[0] ** 3 * t)], ways=WAYS),
    Case("power_of_a_negative_base", lambda: model(
         lambda t, y, p: [p[0] * (-y[0]) ** 2.0], [1.0], [0.3]),
         lambda t, p: [1 / (1 - p[0] * t)], ways=WAYS),
]  # fmt: skip


@jax.custom_jvp
def _halved(x):
    return x


_halved.defjvp(lambda primals, tangents: (primals[0], 0.5 * tangents[0]))


@pytest.mark.sampled(36)
@pytest.mark.parametrize(("case", "way"), params(CASES))
def test_never_silently_wrong(case, way):
    check(case, way)
