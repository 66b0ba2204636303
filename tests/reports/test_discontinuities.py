"""Kinks and jumps of the vector field, written in every way there is."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import mpmath as mp
import pytest

from gradaudit import Event
from reports.models import after, at, model
from reports.outcome import Case, check, params

REFUSED = {"reference": "refused: TranslationError"}
SWITCHED = REFUSED | {"checked": "warned", "forward_ad": "warned"}
WAYS = ("reference", "forward_ad", "checked")


def _until(t, p):
    """y' = p1 until p0, y(0) = 0."""
    return [p[1] * min(t, p[0])]


def _switch(write, **options):
    """A case of y' = p1 until t = p0 = 0.4, written in some way."""
    return {
        "build": lambda: model(write, [0.0], [0.4, 1.3], **options),
        "solution": _until,
        "ways": WAYS,
    }


def _in_scan(t, y, p):
    step = jnp.where(t < p[0], p[1], 0.0)
    total, _ = jax.lax.scan(lambda c, x: (c + x * step, None), 0.0 * p[1], jnp.full(4, 0.25))
    return [total]


def _in_fori_loop(t, y, p):
    return [jax.lax.fori_loop(
        0, 2, lambda i, c: c + jnp.where(t < p[0], 0.5 * p[1], 0.0), 0.0 * p[1])]  # fmt: skip


def _in_cond(t, y, p):
    return [jax.lax.cond(t < p[0], lambda: p[1], lambda: 0.0 * p[1])]


def _in_select(t, y, p):
    return [jax.lax.select(t < p[0], p[1], 0.0 * p[1])]


def _in_switch(t, y, p):
    index = jnp.asarray(t >= p[0], dtype=int)
    return [jax.lax.switch(index, [lambda: p[1], lambda: 0.0 * p[1]])]


@jax.checkpoint
def _inner(t, p):
    return jnp.where(t < p[0], p[1], 0.0)


@jax.custom_jvp
def _gate(t, p):
    return jnp.where(t < p[0], p[1], 0.0)


@_gate.defjvp
def _gate_jvp(primals, tangents):
    (t, p), (_, dp) = primals, tangents
    return _gate(t, p), jnp.where(t < p[0], dp[1], 0.0)


@jax.custom_vjp
def _gate_vjp(t, p):
    return jnp.where(t < p[0], p[1], 0.0)


_gate_vjp.defvjp(lambda t, p: (_gate_vjp(t, p), (t, p)), lambda kept, g: (g, g * kept[1]))


def _by_vmap(t, y, p):
    return [jnp.sum(jax.vmap(lambda w: jnp.where(t < p[0], w * p[1], 0.0))(jnp.array([0.5, 0.5])))]


def _by_index(t, y, p):
    return [jnp.stack([p[1], 0.0 * p[1]])[jnp.asarray(t >= p[0], dtype=int)]]


def _by_searchsorted(t, y, p):
    return [jnp.array([1.0, 0.0])[jnp.searchsorted(jnp.stack([p[0]]), t, side="right")] * p[1]]


def _by_argmax(t, y, p):
    return [jnp.array([1.0, 0.0])[jnp.argmax(jnp.stack([p[0] - t, t - p[0]]))] * p[1]]


def _by_max_of_signs(t, y, p):
    return [p[1] * jnp.max(jnp.stack([jnp.sign(p[0] - t), 0.0 * t]))]


def _by_sorting(t, y, p):
    low = jnp.sort(jnp.stack([t, p[0]]))[0]
    return [p[1] * (low < p[0])]


def _by_power(t, y, p):
    """|x| by sqrt(x^2): the derivative is sign(x)."""
    x = p[0] - t
    return [p[1] * 0.5 * (1.0 + x / jnp.sqrt(x * x))]


def _by_atan2(t, y, p):
    return [p[1] * jnp.arctan2(jnp.zeros(()), t - p[0]) / jnp.pi]


def _steep(t, y, p):
    return [p[1] * jax.nn.sigmoid(1e9 * (p[0] - t))]


def _by_power_of_1e4(t, y, p):
    return [p[1] / (1.0 + (t / p[0]) ** 1e4)]


def _sharp(t, p):
    """The integral of 1 / (1 + (t / p0)^n) is that of all t, p0 (pi / n) / sin(pi / n)."""
    x = mp.pi / 10000
    return [p[1] * (t if t < p[0] * 0.95 else p[0] * x / mp.sin(x))]


def _ramp(t, p):
    """y' = max(t - p0, 0)."""
    return [max(t - p[0], 0) ** 2 / 2]


def _declared(write):
    return lambda: model(write, [0.0], [0.4, 1.3], events={"off": Event(when=at(0))})


def _floor_closed(t, p):
    """y' = p1 floor(t / p0)."""
    n = mp.floor(t / p[0])
    return [p[1] * (p[0] * n * (n - 1) / 2 + n * (t - n * p[0]))]


def _mod_closed(t, p):
    n = mp.floor(t / p[0])
    rest = t - n * p[0]
    return [p[1] * (n * p[0] ** 2 + rest**2) / 2]


def _abs_closed(t, p):
    """y' = |t - p0| p1."""
    x = t - p[0]
    return [p[1] * (x * abs(x) + p[0] ** 2) / 2]


def _relu_at_0(t, p):
    """y' = max(y, 0) p0 from 0, which is p1."""
    return [p[1] * mp.exp(p[0] * t) if p[1] > 0 else p[1]]


def _root(y, p):
    b = p[0] * y - 100.0
    return b, y * 4e-9


def _cancelling(t, y, p):
    """s = (b + sqrt(b^2 + 4 K c)) / 2 with b about -100, of which 12 digits cancel."""
    b, c = _root(1.0 + t, p)
    return [0.5 * (b + jnp.sqrt(b * b + c)) * 1e9]


def _cancelled(t, p):
    def field(s):
        b, c = _root(1 + s, p)
        return (b + mp.sqrt(b * b + c)) / 2 * mp.mpf(1e9)

    return [1 + mp.quad(field, [0, t])]


CASES = [
    Case("where_undeclared", **_switch(lambda t, y, p: [jnp.where(t < p[0], p[1], 0.0)]),
         quick=WAYS, expected=SWITCHED),
    Case("scan_undeclared", **_switch(_in_scan), quick=WAYS, expected=SWITCHED),
    Case("fori_loop_undeclared", **_switch(_in_fori_loop), expected=SWITCHED),
    Case("cond_undeclared", **_switch(_in_cond), quick=("reference", "checked"),
         expected=SWITCHED),
    Case("select_undeclared", **_switch(_in_select), expected=SWITCHED),
    Case("lax_switch_undeclared", **_switch(_in_switch), expected=SWITCHED),
    Case("checkpoint_undeclared", **_switch(lambda t, y, p: [_inner(t, p)]), expected=SWITCHED),
    Case("custom_jvp_undeclared", **_switch(lambda t, y, p: [_gate(t, p)]),
         quick=("reference", "checked"), expected=SWITCHED),
    Case("custom_vjp_undeclared", **(_switch(lambda t, y, p: [_gate_vjp(t, p)])
         | {"ways": ("reference",)})),
    Case("vmap_undeclared", **_switch(_by_vmap), expected=SWITCHED),
    Case("index_undeclared", **_switch(_by_index), quick=("reference", "checked")),
    Case("searchsorted_undeclared", **_switch(_by_searchsorted), quick=("reference", "checked")),
    Case("argmax_undeclared", **_switch(_by_argmax), quick=("reference", "checked")),
    Case("max_of_signs_undeclared", **_switch(_by_max_of_signs)),
    Case("sort_undeclared", **_switch(_by_sorting), quick=("reference", "checked")),
    Case("square_root_of_a_square", **_switch(_by_power), quick=("reference", "checked")),
    Case("arctan2_of_zero", **_switch(_by_atan2), quick=("reference", "checked")),
    Case("steep_sigmoid", **_switch(_steep)),
    Case("power_of_10000", **(_switch(_by_power_of_1e4) | {"solution": _sharp})),
    *(
        Case(f"{name}_declared", _declared(write), _until, ways=("reference", "saltation"),
             expected={"reference": "right", "saltation": "right"} if good else None)
        for name, write, good in [
            ("scan", _in_scan, True), ("fori_loop", _in_fori_loop, True), ("cond", _in_cond, True),
            ("select", _in_select, True), ("lax_switch", _in_switch, False),
            ("checkpoint", lambda t, y, p: [_inner(t, p)], True),
            ("custom_jvp", lambda t, y, p: [_gate(t, p)], True),
            ("custom_vjp", lambda t, y, p: [_gate_vjp(t, p)], False),
            ("vmap", _by_vmap, True), ("index", _by_index, False), ("argmax", _by_argmax, False),
            ("searchsorted", _by_searchsorted, False),
            ("square_root", _by_power, False), ("arctan2", _by_atan2, False),
        ]
    ),
    Case("floor", lambda: model(lambda t, y, p: [p[1] * jnp.floor(t / p[0])], [0.0], [0.3, 1.3]),
         _floor_closed, ways=WAYS, expected=SWITCHED),
    Case("floor_declared", lambda: model(
         lambda t, y, p: [p[1] * jnp.floor(t / p[0])], [0.0], [0.3, 1.3],
         events={"step": Event(when=lambda t, y, p: jnp.sin(jnp.pi * t / p[0]))}), _floor_closed,
         ways=("reference", "saltation"), expected={"reference": "right", "saltation": "right"}),
    Case("mod", lambda: model(lambda t, y, p: [p[1] * jnp.mod(t, p[0])], [0.0], [0.3, 1.3]),
         _mod_closed, ways=WAYS, quick=("reference", "checked"), expected=REFUSED),
    Case("abs", lambda: model(lambda t, y, p: [p[1] * jnp.abs(t - p[0])], [0.0], [0.4, 1.3]),
         _abs_closed, ways=WAYS, expected=REFUSED),
    Case("clip", lambda: model(lambda t, y, p: [jnp.clip(t - p[0], 0.0, 9.0)], [0.0], [0.4]),
         _ramp, ways=WAYS, expected=REFUSED),
    Case("clip_never_reached", lambda: model(
         lambda t, y, p: [-p[0] * jnp.clip(y[0], 0.0, 9.0)], [1.0], [0.4]),
         lambda t, p: [mp.exp(-p[0] * t)], ways=WAYS),
    Case("relu_that_stays_at_0", lambda: model(
         lambda t, y, p: [p[0] * jnp.maximum(y[0], 0.0)], [0.0], [0.7, 0.0],
         initial_state=lambda p: jnp.stack([p[1]]),
         events={"zero": Event(when=lambda t, y, p: y[0])}), _relu_at_0,
         ways=(*WAYS, "saltation"), quick=("reference", "checked", "saltation")),
    Case("jax_nn_relu_that_stays_at_0", lambda: model(
         lambda t, y, p: [p[0] * jax.nn.relu(y[0])], [0.0], [0.7, 0.0],
         initial_state=lambda p: jnp.stack([p[1]]),
         events={"zero": Event(when=lambda t, y, p: y[0])}), _relu_at_0,
         ways=(*WAYS, "saltation"), quick=("reference", "checked")),
    Case("wiggling_fast", lambda: model(
         lambda t, y, p: [p[0] * jnp.cos(200.0 * t) - p[1] * y[0]], [1.0], [0.5, 1.1]),
         lambda t, p: [(1 - p[0] * p[1] / (p[1] ** 2 + 40000)) * mp.exp(-p[1] * t)
                       + p[0] * (p[1] * mp.cos(200 * t) + 200 * mp.sin(200 * t))
                       / (p[1] ** 2 + 40000)], ways=WAYS, expected={"reference": "right"}),
    Case("boundary_layer", lambda: model(
         lambda t, y, p: [p[0] * jnp.exp(-500.0 * t) - p[1] * y[0]], [1.0], [50.0, 1.1]),
         lambda t, p: [mp.exp(-p[1] * t) + p[0] * (mp.exp(-500 * t) - mp.exp(-p[1] * t))
                       / (p[1] - 500)], ways=WAYS, expected={"reference": "right"}),
    Case("fixed_time_undeclared", lambda: model(
         lambda t, y, p: [jnp.where(t < 0.4, p[0], 0.0)], [0.0], [1.3]),
         lambda t, p: [p[0] * min(t, mp.mpf(0.4))], ways=WAYS, expected=REFUSED),
    Case("fixed_time_declared", lambda: model(
         lambda t, y, p: [jnp.where(t < 0.4, p[0], 0.0)], [0.0], [1.3],
         events={"off": Event(when=after(0.4))}), lambda t, p: [p[0] * min(t, mp.mpf(0.4))],
         ways=(*WAYS, "saltation"), expected={"reference": "right", "saltation": "right"}),
    Case("declared_at_another_place", lambda: model(
         lambda t, y, p: [jnp.where(t < p[0], p[1], 0.0)], [0.0], [0.4, 1.3],
         events={"off": Event(when=lambda t, y, p: t - 1.01 * p[0])}), _until,
         ways=("reference", "saltation"), quick=("reference", "saltation")),
    Case("declared_in_one_direction_only", lambda: model(
         lambda t, y, p: [p[1] * (jnp.sin(2 * jnp.pi * t / p[0]) >= 0.0)], [0.0], [0.6, 1.3],
         events={"off": Event(when=lambda t, y, p: jnp.sin(2 * jnp.pi * t / p[0]), direction=-1)}),
         lambda t, p: [p[1] * (mp.floor(t / p[0]) * p[0] / 2
                       + min(t - mp.floor(t / p[0]) * p[0], p[0] / 2))],
         ways=("reference", "saltation"), quick=("reference", "saltation")),
]  # fmt: skip


@pytest.mark.sampled(36)
@pytest.mark.parametrize(("case", "way"), params(CASES))
def test_never_silently_wrong(case, way):
    check(case, way)
