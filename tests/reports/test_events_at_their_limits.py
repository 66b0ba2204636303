"""Grazing, sliding, accumulating and degenerate events, and events that repeat at one moment."""

from __future__ import annotations

import jax.numpy as jnp
import mpmath as mp
import pytest

from gradaudit import Event
from reports.models import after, at, jump, model
from reports.outcome import Case, check, params

EVENTS = ("reference", "saltation")
RIGHT = {"reference": "right", "saltation": "right"}


def _decay(t, y, p):
    return [-p[0] * y[0]]


def _undisturbed(t, p):
    return [mp.exp(-p[0] * t)]


def _ball(restitution, t_end, times):
    def solution(t, p):
        """Dropped from height 1, gravity p0, restitution p1; at most 60 bounces."""
        g, e = p
        fall = mp.sqrt(2 / g)
        if t < fall:
            return [1 - g * t**2 / 2, -g * t]
        speed, start = g * fall * e, fall
        for _ in range(60):
            flight = 2 * speed / g
            if t < start + flight:
                s = t - start
                return [speed * s - g * s**2 / 2, speed - g * s]
            start, speed = start + flight, e * speed
        return [mp.mpf(0), mp.mpf(0)]

    return {
        "build": lambda: model(
            lambda t, y, p: [y[1], -p[0]], [1.0, 0.0], [9.81, restitution], t_end=t_end,
            events={"bounce": Event(when=lambda t, y, p: y[0], direction=-1,
                    jump=jump(lambda t, y, p: 0.0 * y[0], lambda t, y, p: -p[1] * y[1]))},
        ),
        "solution": solution,
        "times": times,
        "ways": EVENTS,
    }  # fmt: skip


def _dose(when, **options):
    return {"dose": Event(when=when, jump=jump(lambda t, y, p: y[0] + 1.0), **options)}


def _dosed(*times):
    def solution(t, p):
        whens = [when(p) for when in times]
        return [
            mp.exp(-p[0] * t) + sum((mp.exp(-p[0] * (t - w)) for w in whens if w <= t), mp.mpf(0))
        ]

    return solution


def _fires(t, p):
    """y' = p0, reset to 0 at p1."""
    period = p[1] / p[0]
    return [p[0] * (t - period * mp.floor(t / period))]


def _parabola(t, y, p):
    return [p[0] - t]  # y = p0 t - t^2 / 2: it touches p0^2 / 2 at t = p0


def _leaps(t, p):
    """y' = p0, which falls by 0.1 at p1."""
    hit, step = p[1] / p[0], mp.mpf(0.1)
    return [p[0] * t if t < hit else p[1] - step + p[0] * mp.fmod(t - hit, step / p[0])]


CASES = [
    Case("ball_with_many_bounces", **_ball(0.8, 2.0, (0.3, 1.0, 2.0)), expected=RIGHT),
    Case("ball_that_comes_to_rest", **_ball(0.5, 2.0, (0.3, 1.0, 2.0))),
    Case("grazing_from_below", lambda: model(
         lambda t, y, p: [p[0] - t, jnp.where(y[0] > p[1], 1.0, 0.0)], [0.0, 0.0], [0.5, 0.125],
         events={"hit": Event(when=lambda t, y, p: y[0] - p[1])}),
         lambda t, p: [p[0] * t - t**2 / 2, _above(t, p)], ways=EVENTS, quick=EVENTS),
    Case("nearly_grazing", lambda: model(
         lambda t, y, p: [p[0] - t, jnp.where(y[0] > p[1], 1.0, 0.0)], [0.0, 0.0],
         [0.5, 0.125 - 1e-8], events={"hit": Event(when=lambda t, y, p: y[0] - p[1])}),
         lambda t, p: [p[0] * t - t**2 / 2, _above(t, p)], ways=EVENTS, quick=EVENTS),
    Case("missed_by_a_little", lambda: model(
         lambda t, y, p: [p[0] - t, jnp.where(y[0] > p[1], 1.0, 0.0)], [0.0, 0.0],
         [0.5, 0.125 + 1e-8], events={"hit": Event(when=lambda t, y, p: y[0] - p[1])}),
         lambda t, p: [p[0] * t - t**2 / 2, _above(t, p)], ways=EVENTS),
    Case("a_double_zero_in_time", lambda: model(_decay, [1.0], [0.7, 0.5],
         events=_dose(lambda t, y, p: (t - p[1]) ** 2)), _undisturbed, ways=EVENTS, quick=EVENTS),
    Case("a_double_zero_at_a_fixed_time", lambda: model(_decay, [1.0], [0.7],
         events=_dose(lambda t, y, p: (t - 0.5) ** 2)), _undisturbed, ways=EVENTS),
    Case("a_triple_zero_in_time", lambda: model(_decay, [1.0], [0.7, 0.5],
         events=_dose(lambda t, y, p: (t - p[1]) ** 3)), _dosed(lambda p: p[1]), ways=EVENTS,
         quick=EVENTS),
    Case("two_zeros_close_together", lambda: model(_decay, [1.0], [0.7, 0.5],
         events=_dose(lambda t, y, p: (t - p[1]) * (t - p[1] - 1e-7))),
         _dosed(lambda p: p[1], lambda p: p[1] + mp.mpf(1e-7)), ways=EVENTS, quick=EVENTS),
    Case("two_zeros_very_close_together", lambda: model(_decay, [1.0], [0.7, 0.5],
         events=_dose(lambda t, y, p: (t - p[1]) * (t - p[1] - 1e-13))),
         _dosed(lambda p: p[1], lambda p: p[1] + mp.mpf(1e-13)), ways=EVENTS),
    Case("many_zeros_within_a_step", lambda: model(_decay, [1.0], [0.7, 0.05],
         events=_dose(lambda t, y, p: jnp.sin(2 * jnp.pi * (t - p[1]) / 0.01), direction=1)),
         _dosed(*(lambda p, k=k: p[1] + mp.mpf(0.01) * (k - 5) for k in range(101))),
         times=(0.333, 0.8888), ways=EVENTS),
    Case("an_event_that_falls", lambda: model(_decay, [1.0], [0.7],
         events=_dose(lambda t, y, p: 0.5 - t, direction=-1)), _dosed(lambda p: mp.mpf("0.5")),
         ways=EVENTS, expected=RIGHT),
    Case("an_event_in_the_other_direction", lambda: model(_decay, [1.0], [0.7],
         events=_dose(lambda t, y, p: 0.5 - t, direction=1)), _undisturbed, ways=EVENTS,
         expected=RIGHT),
    Case("an_event_that_triggers_itself", lambda: model(
         lambda t, y, p: [p[0]], [0.0], [1.0, 0.4],
         events={"up": Event(when=lambda t, y, p: y[0] - p[1],
                             jump=jump(lambda t, y, p: 2 * p[1] - y[0] - 0.1))}),
         _leaps, times=(0.2, 0.63, 0.97), ways=EVENTS, quick=EVENTS),
    Case("two_events_for_ever", lambda: model(
         lambda t, y, p: [p[0]], [0.0], [1.0],
         events={"up": Event(when=lambda t, y, p: y[0] - 0.5, direction=1,
                             jump=jump(lambda t, y, p: -1.0 + 0.0 * y[0])),
                 "down": Event(when=lambda t, y, p: y[0] + 0.5, direction=-1,
                               jump=jump(lambda t, y, p: 1.0 + 0.0 * y[0]))}),
         lambda t, p: [mp.nan if t >= 0.5 else p[0] * t], ways=EVENTS, quick=EVENTS),
    Case("resets_at_every_observation", lambda: model(
         lambda t, y, p: [p[0]], [0.0], [1.0, 0.25],
         events={"fire": Event(when=lambda t, y, p: y[0] - p[1], direction=1,
                               jump=jump(lambda t, y, p: 0.0 * y[0]))}), _fires,
         times=(0.25, 0.5, 1.0), ways=EVENTS, quick=EVENTS),
    Case("resets_between_observations", lambda: model(
         lambda t, y, p: [p[0]], [0.0], [1.0, 0.25],
         events={"fire": Event(when=lambda t, y, p: y[0] - p[1], direction=1,
                               jump=jump(lambda t, y, p: 0.0 * y[0]))}), _fires,
         times=(0.2, 0.6, 0.9), ways=EVENTS, expected={"reference": "right", "saltation": "right"}),
    Case("sliding_on_a_threshold", lambda: model(
         lambda t, y, p: [jnp.where(y[0] < p[0], 1.0, -1.0)], [0.0], [0.4],
         events={"hit": Event(when=lambda t, y, p: y[0] - p[0])}),
         lambda t, p: [min(t, p[0])], ways=("reference", "saltation", "forward_ad", "checked"),
         quick=("reference", "saltation", "checked")),
    Case("jump_onto_the_threshold_of_a_switch", lambda: model(
         lambda t, y, p: [jnp.where(y[0] >= 2.0, p[0], 1.0)], [0.0], [0.7],
         events={"jump": Event(when=after(0.5), jump=jump(lambda t, y, p: 2.0 + 0.0 * y[0])),
                 "two": Event(when=lambda t, y, p: y[0] - 2.0)}),
         lambda t, p: [t if t < 0.5 else 2 + p[0] * (t - mp.mpf("0.5"))], ways=EVENTS,
         quick=EVENTS),
    Case("jump_to_a_parameter_on_a_threshold", lambda: model(
         lambda t, y, p: [jnp.where(y[0] >= 2.0, 3.0, 1.0)], [0.0], [2.0],
         events={"jump": Event(when=after(0.5), jump=jump(lambda t, y, p: p[0])),
                 "two": Event(when=lambda t, y, p: y[0] - 2.0)}),
         lambda t, p: [t if t < 0.5 else _crossing(p[0], t - mp.mpf("0.5"))], ways=EVENTS,
         quick=EVENTS),
    Case("a_jump_that_does_nothing_at_nominal", lambda: model(_decay, [1.0], [0.7, 0.0, 0.5],
         events={"dose": Event(when=at(2), jump=jump(lambda t, y, p: y[0] + p[1]))}),
         lambda t, p: [mp.exp(-p[0] * t)
                       + (p[1] * mp.exp(-p[0] * (t - p[2])) if p[2] <= t else 0)],
         ways=EVENTS, expected=RIGHT),
    Case("an_event_that_is_zero_throughout", lambda: model(_decay, [1.0], [0.7, 0.0],
         events=_dose(lambda t, y, p: p[1] * (t - 0.5))), lambda t, p: _undisturbed(t, p)
         if not p[1] else _dosed(lambda p: mp.mpf("0.5"))(t, p), ways=EVENTS, quick=EVENTS),
    Case("a_threshold_of_a_constant_state", lambda: model(
         lambda t, y, p: [-p[0] * y[0] + jnp.where(y[1] >= p[1], 1.0, 0.0), 0.0 * y[1]],
         [1.0, 0.3], [0.7, 0.3], events={"on": Event(when=lambda t, y, p: y[1] - p[1])}),
         lambda t, p: [mp.exp(-p[0] * t) + (1 - mp.exp(-p[0] * t)) / p[0] * (p[1] <= 0.3),
                       mp.mpf(0.3)], ways=("reference", "saltation", "forward_ad", "checked"),
         quick=("reference", "saltation", "checked")),
]  # fmt: skip


def _above(t, p):
    """Time for which p0 s - s^2 / 2 > p1 until t."""
    inside = p[0] ** 2 - 2 * p[1]
    if inside <= 0:
        return mp.mpf(0)
    root = mp.sqrt(inside)
    return max(min(t, p[0] + root) - (p[0] - root), 0)


def _crossing(start, time):
    """y' = 1 below 2 and 3 from there on."""
    below = max(2 - start, 0)
    return start + min(time, below) + 3 * max(time - below, 0)


@pytest.mark.sampled(36)
@pytest.mark.parametrize(("case", "way"), params(CASES))
def test_never_silently_wrong(case, way):
    check(case, way)
