"""Several events at one moment: commuting or not, with priorities, in cascades, by coincidence."""

from __future__ import annotations

import jax.numpy as jnp
import mpmath as mp
import pytest

from gradaudit import Event
from reports.models import after, at, jump, model
from reports.outcome import Case, check, params

EVENTS = ("reference", "saltation")
REFUSED = {"reference": "uncertified", "saltation": "status simultaneous_events"}
RIGHT = {"reference": "right", "saltation": "right"}


def _decay(t, y, p):
    return [-p[0] * y[i] for i in range(len(y))]


def _swap(when_a, when_b, **options):
    return {
        "a": Event(when=when_a, jump=jump(lambda t, y, p: y[1], lambda t, y, p: y[1]),
                   assigns=("y0",), **options),
        "b": Event(when=when_b, jump=jump(lambda t, y, p: y[0], lambda t, y, p: y[0]),
                   assigns=("y1",), **options),
    }  # fmt: skip


def _swapped(t, p):
    a, b = (1, 2) if t < mp.mpf("0.5") else (2, 1)
    return [a * mp.exp(-p[0] * t), b * mp.exp(-p[0] * t)]


def _swapped_at(t, p):
    a, b = (1, 2) if t < p[1] else (2, 1)
    return [a * mp.exp(-p[0] * t), b * mp.exp(-p[0] * t)]


def _one(function):
    return Event(when=after(0.5), jump=jump(function))


def _doses(*functions, priorities=None):
    priorities = priorities or [None] * len(functions)
    return {
        f"e{i}": Event(when=after(0.5), jump=jump(f), priority=rank)
        for i, (f, rank) in enumerate(zip(functions, priorities, strict=True))
    }


def _add(t, y, p):
    return y[0] + p[1]


def _double(t, y, p):
    return 2.0 * y[0] * p[2]


def _after_dose(change):
    def solution(t, p):
        y = mp.exp(-p[0] * t)
        if t < mp.mpf("0.5"):
            return [y]
        return [change(mp.exp(-p[0] / 2), p) * mp.exp(-p[0] * (t - mp.mpf("0.5")))]

    return solution


def _coincident_jumps(t, p):
    """Two doses at p1 and p2, in any order."""
    return [
        mp.exp(-p[0] * t)
        + sum((mp.exp(-p[0] * (t - when)) for when in p[1:3] if when <= t), mp.mpf(0))
    ]


def _add_or_double(t, p):
    """Add 1 at p1, double at p2: the order counts, so p1 = p2 has no derivative."""
    y, last = mp.mpf(1), mp.mpf(0)
    for when, what in sorted([(p[1], 0), (p[2], 1)]):
        if when <= t:
            y, last = y * mp.exp(-p[0] * (when - last)), when
            y = 2 * y if what else y + 1
    return [y * mp.exp(-p[0] * (t - last))]


def _two_switches(t, p):
    return [min(t, p[0]) + 2 * min(t, p[1])]


def _two_outputs(t, p):
    return [min(t, p[0]), 2 * min(t, p[1])]


def _switch(t, y, p):
    return [jnp.where(t < p[0], 1.0, 0.0) + jnp.where(t < p[1], 2.0, 0.0)]


def _apart(t, y, p):
    return [jnp.where(t < p[0], 1.0, 0.0), jnp.where(t < p[1], 2.0, 0.0)]


def _product(t, y, p):
    return [jnp.where(t < p[0], 1.0, 2.0) * jnp.where(t < p[1], 1.0, 3.0)]


def _product_closed(t, p):
    first, last = min(p), max(p)
    between = 2 if p[0] < p[1] else 3
    return [min(t, first) + between * max(min(t, last) - first, 0) + 6 * max(t - last, 0)]


def _cascade(t, p):
    """At y0 = p1 (rising, y0 = p0 t) y1 is set to 2; y1 - 1 crosses zero, y2 becomes 5."""
    hit = p[1] / p[0]
    if t < hit:
        return [p[0] * t, mp.mpf(0), mp.mpf(1)]
    return [p[0] * t, mp.mpf(2), 5 * mp.exp(-(t - hit))]


def _cascade_model():
    return model(
        lambda t, y, p: [p[0], 0.0 * y[1], jnp.where(y[1] > 1.0, -y[2], 0.0)],
        [0.0, 0.0, 1.0],
        [2.0, 1.0],
        events={
            "first": Event(
                when=lambda t, y, p: y[0] - p[1], direction=1,
                jump=jump(lambda t, y, p: y[0], lambda t, y, p: 2.0, lambda t, y, p: y[2]),
            ),
            "second": Event(
                when=lambda t, y, p: y[1] - 1.0, direction=1,
                jump=jump(lambda t, y, p: y[0], lambda t, y, p: y[1], lambda t, y, p: 5.0),
            ),
        },
    )  # fmt: skip


def _three(t, p):
    """Three doses of p1, p2 and 1 at once."""
    return [mp.exp(-p[0] * t) + (p[1] + p[2] + 1) * mp.exp(-p[0] * (t - 0.5)) * (t >= 0.5)]


CASES = [
    Case("swap_of_two_states", lambda: model(_decay, [1.0, 2.0], [0.7],
         events=_swap(after(0.5), after(0.5))), _swapped, ways=EVENTS, expected=RIGHT),
    Case("swap_at_a_parameter_time", lambda: model(_decay, [1.0, 2.0], [0.7, 0.5],
         events=_swap(at(1), at(1))), _swapped_at, ways=EVENTS, expected=RIGHT),
    Case("swap_at_two_coinciding_parameters", lambda: model(_decay, [1.0, 2.0], [0.7, 0.5, 0.5],
         events=_swap(at(1), at(2))),
         lambda t, p: _swapped_at(t, p) if p[1] == p[2] else _sequential(t, p), ways=EVENTS),
    Case("two_doses_commute", lambda: model(_decay, [1.0], [0.7, 0.3, 1.0],
         events=_doses(_add, _add)), _after_dose(lambda y, p: y + 2 * p[1]), ways=EVENTS,
         expected=RIGHT),
    Case("three_doses_commute", lambda: model(_decay, [1.0], [0.7, 0.3, 0.2],
         events=_doses(_add, lambda t, y, p: y[0] + p[2], lambda t, y, p: y[0] + 1.0)), _three,
         ways=EVENTS, expected=RIGHT),
    Case("a_dose_and_a_doubling", lambda: model(_decay, [1.0], [0.7, 0.3, 1.1],
         events=_doses(_add, _double)), _after_dose(lambda y, p: 2 * p[2] * (y + p[1])),
         ways=EVENTS, expected=REFUSED),
    Case("a_doubling_has_priority", lambda: model(_decay, [1.0], [0.7, 0.3, 1.1],
         events=_doses(_add, _double, priorities=[1.0, 2.0])),
         _after_dose(lambda y, p: 2 * p[2] * y + p[1]), ways=EVENTS, expected=RIGHT),
    Case("a_dose_has_priority", lambda: model(_decay, [1.0], [0.7, 0.3, 1.1],
         events=_doses(_add, _double, priorities=[2.0, None])),
         _after_dose(lambda y, p: 2 * p[2] * (y + p[1])), ways=EVENTS, expected=RIGHT),
    Case("equal_priorities_do_not_order", lambda: model(_decay, [1.0], [0.7, 0.3, 1.1],
         events=_doses(_add, _double, priorities=[2.0, 2.0])),
         _after_dose(lambda y, p: 2 * p[2] * (y + p[1])), ways=EVENTS, expected=REFUSED),
    Case("commutes_in_value_not_in_derivative", lambda: model(_decay, [1.0], [0.7, 0.0, 1.0],
         events=_doses(_add, _double)), _after_dose(lambda y, p: 2 * p[2] * (y + p[1])),
         ways=EVENTS, expected=REFUSED),
    Case("two_times_coincide_and_commute", lambda: model(_decay, [1.0], [0.7, 0.5, 0.5],
         events={"a": Event(when=at(1), jump=jump(lambda t, y, p: y[0] + 1.0)),
                 "b": Event(when=at(2), jump=jump(lambda t, y, p: y[0] + 1.0))}),
         _coincident_jumps, ways=EVENTS, expected=RIGHT),
    Case("two_times_coincide_in_order", lambda: model(_decay, [1.0], [0.7, 0.5, 0.5],
         events={"a": Event(when=at(1), jump=jump(lambda t, y, p: y[0] + 1.0), priority=1.0),
                 "b": Event(when=at(2), jump=jump(lambda t, y, p: 2.0 * y[0]))}),
         _add_or_double, ways=EVENTS, expected=REFUSED | {"reference": "uncertified"}),
    Case("two_switches_coincide", lambda: model(_switch, [0.0], [0.5, 0.5],
         events={"a": Event(when=at(0)), "b": Event(when=at(1))}), _two_switches),
    Case("two_switches_of_two_states_coincide", lambda: model(_apart, [0.0, 0.0], [0.5, 0.5],
         events={"a": Event(when=at(0)), "b": Event(when=at(1))}), _two_outputs),
    Case("two_switches_multiply", lambda: model(_product, [0.0], [0.5, 0.5],
         events={"a": Event(when=at(0)), "b": Event(when=at(1))}), _product_closed,
         expected={"reference": "uncertified"}),
    Case("two_switches_undeclared", lambda: model(_switch, [0.0], [0.5, 0.5]), _two_switches,
         expected={"reference": "refused: TranslationError"}),
    Case("one_of_two_switches_undeclared", lambda: model(_apart, [0.0, 0.0], [0.5, 0.5],
         events={"a": Event(when=at(0))}), _two_outputs),
    Case("a_jump_triggers_another", _cascade_model, _cascade, ways=EVENTS, expected=RIGHT),
    Case("a_jump_and_a_switch_together", lambda: model(
         lambda t, y, p: [-p[0] * y[0] + jnp.where(t < p[1], 1.0, 0.0)], [1.0], [0.7, 0.5],
         events={"off": Event(when=at(1), jump=jump(lambda t, y, p: 3.0 * y[0]))}),
         lambda t, p: [_infused(min(t, p[1]), p) if t < p[1] else
                       3 * _infused(p[1], p) * mp.exp(-p[0] * (t - p[1]))],
         ways=EVENTS, expected=RIGHT),
    Case("times_differ_by_rounding", lambda: model(_decay, [1.0, 2.0], [0.7, 0.1, 0.2],
         events=_swap(lambda t, y, p: t - (p[1] + p[2]), lambda t, y, p: t - 0.3)),
         lambda t, p: _sequential(t, [p[0], p[1] + p[2], mp.mpf(0.3)]), ways=EVENTS),
]  # fmt: skip


def _infused(t, p):
    return mp.exp(-p[0] * t) + (1 - mp.exp(-p[0] * t)) / p[0]


def _sequential(t, p):
    """y0 := y1 at p1, y1 := y0 at p2."""
    a, b = mp.mpf(1), mp.mpf(2)
    for when, what in sorted([(p[1], 0), (p[2], 1)]):
        if when <= t:
            a, b = (b, b) if what == 0 else (a, a)
    return [a * mp.exp(-p[0] * t), b * mp.exp(-p[0] * t)]


@pytest.mark.sampled(24)
@pytest.mark.parametrize(("case", "way"), params(CASES, quick=("reference",)))
def test_never_silently_wrong(case, way):
    check(case, way)
