"""Events and switches at the ends of the window, at observations, and in ``jump_ts``."""

from __future__ import annotations

import jax.numpy as jnp
import mpmath as mp
import pytest

from gradaudit import Event
from reports.models import after, at, jump, model
from reports.outcome import Case, check, params

RIGHT = {"reference": "right", "saltation": "right"}
EVENTS = ("reference", "saltation")
BOTH = ("reference", "checked")


def _decay(t, y, p):
    return [-p[0] * y[0]]


def _dose(when, **options):
    return {"dose": Event(when=when, jump=jump(lambda t, y, p: y[0] + p[1]), **options)}


def _dosed_at_0(t, p):
    return [(1 + p[1]) * mp.exp(-p[0] * t)]


def _dosed_at(when):
    def solution(t, p):
        time = when(p)
        return [mp.exp(-p[0] * t) + (p[1] * mp.exp(-p[0] * (t - time)) if time <= t else 0)]

    return solution


def _infusion(start, stop):
    """y' = p0 between start and stop, y(0) = 0."""
    return lambda t, p: [p[0] * max(min(t, stop(p)) - max(start(p), 0), 0)]


def _on_from(t, y, p):
    return [jnp.where(t >= p[1], p[0], 0.0)]


def _on_until(t, y, p):
    return [jnp.where(t < p[1], p[0], 0.0)]


def _on_until_1(t, y, p):
    return [jnp.where(t < 1.0, p[0], 0.0)]


def _on_from_0(t, y, p):
    return [jnp.where(t >= 0.0, p[0], 0.0)]


CASES = [
    Case("dose_at_0_at_a_fixed_time", lambda: model(_decay, [1.0], [0.7, 2.0],
         events=_dose(after(0.0))), _dosed_at_0, ways=EVENTS, quick=EVENTS, expected=RIGHT),
    Case("dose_at_0_by_a_product", lambda: model(_decay, [1.0], [0.7, 2.0],
         events=_dose(lambda t, y, p: t * (1.0 + y[0]))), _dosed_at_0, ways=EVENTS,
         expected=RIGHT),
    Case("dose_at_0_repeated_by_a_sine", lambda: model(_decay, [1.0], [0.7, 2.0], t_end=1.2,
         events=_dose(lambda t, y, p: jnp.sin(2 * jnp.pi * t), direction=1)),
         lambda t, p: [(1 + p[1]) * mp.exp(-p[0] * t)
                       + (p[1] * mp.exp(-p[0] * (t - 1)) if t >= 1 else 0)],
         times=(0.0, 0.37, 1.1), ways=EVENTS),
    Case("dose_at_a_parameter_time_of_0", lambda: model(_decay, [1.0], [0.7, 2.0, 0.0],
         events=_dose(at(2))), _dosed_at(lambda p: p[2]), ways=EVENTS,
         expected={"reference": "refused: ModelError", "saltation": "refused: ModelError"}),
    Case("dose_at_a_tiny_parameter_time", lambda: model(_decay, [1.0], [0.7, 2.0, 1e-14],
         events=_dose(at(2))), _dosed_at(lambda p: p[2]), ways=EVENTS),
    Case("infusion_begins_at_1e_9", lambda: model(_on_from, [0.0], [2.0, 1e-9],
         events={"on": Event(when=at(1))}), _infusion(lambda p: p[1], lambda p: mp.inf)),
    Case("infusion_begins_at_1e_6", lambda: model(_on_from, [0.0], [2.0, 1e-6],
         events={"on": Event(when=at(1))}), _infusion(lambda p: p[1], lambda p: mp.inf),
         expected=RIGHT),
    Case("infusion_ends_1e_9_before_the_end", lambda: model(_on_until, [0.0], [2.0, 1.0 - 1e-9],
         events={"off": Event(when=at(1))}), _infusion(lambda p: 0, lambda p: p[1])),
    Case("dose_at_a_small_parameter_time", lambda: model(_decay, [1.0], [0.7, 2.0, 1e-7],
         events=_dose(at(2))), _dosed_at(lambda p: p[2]), ways=EVENTS, expected=RIGHT),
    Case("dose_just_before_the_window", lambda: model(_decay, [1.0], [0.7, 2.0, -1e-9],
         events=_dose(at(2))), lambda t, p: [mp.exp(-p[0] * t)], ways=EVENTS),
    Case("dose_at_the_end_at_a_fixed_time", lambda: model(_decay, [1.0], [0.7, 2.0],
         events=_dose(after(1.0))), _dosed_at(lambda p: mp.mpf(1)), ways=EVENTS),
    Case("dose_at_the_end_at_a_parameter_time", lambda: model(_decay, [1.0], [0.7, 2.0, 1.0],
         events=_dose(at(2))), _dosed_at(lambda p: p[2]), ways=EVENTS,
         expected={"reference": "uncertified"}),
    Case("dose_close_to_the_end", lambda: model(_decay, [1.0], [0.7, 2.0, 1.0 - 1e-13],
         events=_dose(at(2))), _dosed_at(lambda p: p[2]), ways=EVENTS),
    Case("infusion_ends_at_the_end_fixed", lambda: model(_on_until_1, [0.0], [2.0],
         events={"off": Event(when=after(1.0))}), _infusion(lambda p: 0, lambda p: mp.mpf(1)),
         quick=EVENTS, expected=RIGHT),
    Case("infusion_ends_at_the_end_undeclared", lambda: model(_on_until_1, [0.0], [2.0]),
         _infusion(lambda p: 0, lambda p: mp.mpf(1)), quick=BOTH),
    Case("infusion_ends_at_the_end_parameter", lambda: model(_on_until, [0.0], [2.0, 1.0],
         events={"off": Event(when=at(1))}), _infusion(lambda p: 0, lambda p: p[1]),
         quick=("reference", "saltation", "checked"), expected={"reference": "uncertified"}),
    Case("infusion_begins_at_0_fixed", lambda: model(_on_from_0, [0.0], [2.0],
         events={"on": Event(when=after(0.0))}), _infusion(lambda p: 0, lambda p: mp.inf),
         expected=RIGHT),
    Case("infusion_begins_at_0_parameter", lambda: model(_on_from, [0.0], [2.0, 0.0],
         events={"on": Event(when=at(1))}), _infusion(lambda p: p[1], lambda p: mp.inf),
         quick=("reference", "saltation", "checked"), expected={"reference": "uncertified"}),
    Case("infusion_begins_at_0_strictly", lambda: model(
         lambda t, y, p: [jnp.where(t > p[1], p[0], 0.0)], [0.0], [2.0, 0.0],
         events={"on": Event(when=at(1))}), _infusion(lambda p: p[1], lambda p: mp.inf),
         quick=BOTH, expected={"reference": "uncertified"}),
    Case("state_threshold_at_the_start", lambda: model(
         lambda t, y, p: [jnp.where(y[0] >= p[0], 2.0, 1.0)], [1.0], [1.0],
         events={"hit": Event(when=lambda t, y, p: y[0] - p[0])}),
         lambda t, p: [1 + 2 * t if p[0] <= 1 else 1 + t + max(t - (p[0] - 1), 0)],
         quick=BOTH, expected={"reference": "uncertified"}),
    Case("repelled_from_a_threshold_at_the_start", lambda: model(
         lambda t, y, p: [jnp.where(y[0] >= p[1], 1.0, -1.0) * p[0]], [2.0], [0.7, 2.0],
         events={"hit": Event(when=lambda t, y, p: y[0] - p[1])}),
         lambda t, p: [2 + p[0] * t if p[1] <= 2 else 2 - p[0] * t], ways=("reference",
         "saltation", "forward_ad", "checked"), quick=("reference", "saltation")),
    Case("state_threshold_at_the_end", lambda: model(
         lambda t, y, p: [jnp.where(y[0] >= p[0], 2.0, 1.0)], [0.0], [1.0],
         events={"hit": Event(when=lambda t, y, p: y[0] - p[0])}),
         lambda t, p: [t + max(t - p[0], 0)], quick=BOTH, expected={"reference": "uncertified"}),
    Case("observed_at_a_dose_at_a_fixed_time", lambda: model(_decay, [1.0], [0.7, 2.0],
         events=_dose(after(0.5))), _dosed_at(lambda p: mp.mpf("0.5")), times=(0.25, 0.5, 1.0),
         ways=EVENTS),
    Case("observed_at_a_dose_at_a_parameter_time", lambda: model(_decay, [1.0], [0.7, 2.0, 0.5],
         events=_dose(at(2))), _dosed_at(lambda p: p[2]), times=(0.25, 0.5, 1.0), ways=EVENTS,
         quick=EVENTS, expected={"reference": "uncertified", "saltation": "one-sided"}),
    Case("observed_at_a_switch", lambda: model(_on_until, [0.0], [2.0, 0.5],
         events={"off": Event(when=at(1))}), _infusion(lambda p: 0, lambda p: p[1]),
         times=(0.25, 0.5, 1.0), quick=(*EVENTS, "checked"),
         expected={"reference": "uncertified", "saltation": "one-sided"}),
    Case("observed_one_rounding_after_a_dose", lambda: model(_decay, [1.0], [0.7, 2.0, 0.3],
         events=_dose(at(2))), _dosed_at(lambda p: p[2]), times=(0.25, 0.1 + 0.2, 1.0),
         ways=EVENTS),
    Case("switch_at_a_parameter_in_jump_ts", lambda: model(
         lambda t, y, p: [jnp.where(t < p[0], 1.0, 0.0)], [0.0], [0.98], t_end=2.0),
         lambda t, p: [min(t, p[0])], times=(0.5, 2.0), jump_ts=(0.98,), quick=("checked",),
         expected={"checked": "warned"}),
    Case("switch_at_a_fixed_time_in_jump_ts", lambda: model(
         lambda t, y, p: [jnp.where(t < 0.98, p[0], 0.0)], [0.0], [1.3], t_end=2.0,
         events={"off": Event(when=after(0.98))}),
         lambda t, p: [p[0] * min(t, mp.mpf(0.98))], times=(0.5, 2.0), jump_ts=(0.98,),
         quick=BOTH, expected={"reference": "right", "checked": "right"}),
    Case("switch_at_a_sum_in_jump_ts", lambda: model(
         lambda t, y, p: [jnp.where(t < p[0] + p[1], p[1], 0.0)], [0.0], [0.5, 0.25], t_end=2.0),
         lambda t, p: [p[1] * min(t, p[0] + p[1])], times=(0.5, 2.0), jump_ts=(0.75,),
         quick=("checked",), expected={"checked": "warned"}),
    Case("state_switch_at_jump_ts", lambda: model(
         lambda t, y, p: [p[0], jnp.where(y[0] < 0.5, 1.0, 0.0)], [0.0, 0.0], [1.0], t_end=2.0),
         lambda t, p: [p[0] * t, min(t, mp.mpf("0.5") / p[0])], times=(0.25, 2.0), jump_ts=(0.5,),
         quick=("checked",), expected={"checked": "warned"}),
    Case("events_at_both_ends", lambda: model(_decay, [1.0], [0.7, 2.0],
         events=_dose(lambda t, y, p: jnp.sin(jnp.pi * t), direction=0)),
         lambda t, p: [(1 + p[1]) * mp.exp(-p[0] * t) + (p[1] if t >= 1 else 0)], ways=EVENTS),
]  # fmt: skip


@pytest.mark.sampled(36)
@pytest.mark.parametrize(("case", "way"), params(CASES))
def test_never_silently_wrong(case, way):
    check(case, way)
