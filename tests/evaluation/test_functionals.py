"""Functionals: values, weights, and whole gradients against closed forms.

The closed form is a limit cycle, x = A cos(w t) and z = A sin(w t), observed at 201 times over ten
periods and a bit, with the integral of x and two events: x at its maximum, and z at its minimum.
"""

import math

import numpy as np
import pytest

from gradaudit.evaluation.functionals import (
    Context,
    EventFunctional,
    Functional,
    all_functionals,
)
from gradaudit.evaluation.functionals.solver_target import coarser_solve
from gradaudit.evaluation.gradient_error import Observations, event_error, gradient_error
from gradaudit.evaluation.occurrences import EventTable, arranged
from gradaudit.pipeline.config import Study

AMPLITUDE, FREQUENCY = 1.7, 1.3
P = np.array([AMPLITUDE, FREQUENCY])
T_END = 10.2 * 2.0 * math.pi / FREQUENCY
TIMES = np.linspace(0.0, T_END, 201)
PERIOD = 2.0 * math.pi / FREQUENCY
SETTINGS = {
    "kinds": [*Study().functionals.kinds, "solver_target"],
    "noise": 0.05,
    "seed": 1,
}


def trace(p) -> np.ndarray:
    """x, z and the integral of x, (T, 3)."""
    a, w = p
    return np.stack([a * np.cos(w * TIMES), a * np.sin(w * TIMES), a * np.sin(w * TIMES) / w], 1)


def tangents(p) -> np.ndarray:
    """Scaled sensitivities p_j dz/dp_j, (T, 3, 2)."""
    a, w = p
    t, c, s = TIMES, np.cos(w * TIMES), np.sin(w * TIMES)
    by_a = trace(p)
    by_w = np.stack([-a * t * s, a * t * c, a * (t * c / w - s / w**2)], 1) * w
    return np.stack([by_a, by_w], axis=-1)


def events(p) -> EventTable:
    """The maxima of x after the start, and the minima of z, in the order of time."""
    a, w = p
    first = np.arange(1, 11) * 2.0 * math.pi / w
    second = (np.arange(10) + 0.75) * 2.0 * math.pi / w
    slots = sorted([*((t, 0) for t in first), *((t, 1) for t in second)])
    times, kinds = np.array([t for t, _ in slots]), np.array([k for _, k in slots])
    slopes = np.stack([np.zeros_like(times), -times], axis=-1)  # p_j dtau/dp_j
    values = np.where(kinds[:, None] == 0, [[a, 0.0, 0.0]], [[0.0, -a, -a / w]])
    rates = np.zeros((len(times), 3, 2))
    rates[:, :, 0] = values
    rates[kinds == 1, 2, 1] = a / w
    return arranged(("top", "bottom"), kinds, times, slopes, values, rates)


@pytest.fixture(scope="module")
def context() -> Context:
    return Context(
        times=TIMES,
        observations=trace(P),
        states=("x", "z"),
        integrals=("x",),
        observables=("x",),
        settings=SETTINGS,
        sensitivities=tangents(P),
        occurrences=events(P),
    )


@pytest.fixture(scope="module")
def made(context) -> dict:
    target = trace(P)[:, :2] + 0.1 * np.random.default_rng(7).normal(size=(len(TIMES), 2))
    functionals = [*all_functionals(context), coarser_solve(context, target)]
    return {functional.name: functional for functional in functionals}


def slope_of(function) -> float:
    """The derivative at 0 by a central difference of the order 6."""
    h = 1e-3
    return (
        45.0 * (function(h) - function(-h))
        - 9.0 * (function(2 * h) - function(-2 * h))
        + function(3 * h)
        - function(-3 * h)
    ) / (60.0 * h)


def test_functionals_are_those_that_make_sense_for_a_limit_cycle(made):
    assert list(made) == [
        *("terminal_x", "trace_sse_exact", "trace_sse_noisy", "log_likelihood"),
        *("time_average_x", "spectrum_x", "soft_count_x", "phase_aligned"),
        *("event_time_top_1", "event_time_top_10", "event_time_bottom_1", "event_time_bottom_10"),
        *("event_value_x_top_10", "event_interval_top", "event_interval_bottom"),
        *("event_phase_top", "event_phase_bottom", "event_count_top", "event_count_bottom"),
        "trace_sse_coarse",
    ]  # the maximum is at the beginning, and x at the minimum of z is 0 whatever p is


def test_functionals_of_a_curve_that_rises_are_few(context):
    rising = np.stack([TIMES, TIMES**2, TIMES**2 / 2], axis=1)
    quiet = Context(
        times=TIMES,
        observations=rising,
        states=("a", "b"),
        integrals=("a",),
        observables=("b",),
        settings=SETTINGS,
    )
    assert [f.name for f in all_functionals(quiet)] == [
        *("terminal_b", "trace_sse_exact", "trace_sse_noisy", "log_likelihood", "time_average_a"),
    ]


def test_only_the_kinds_that_are_chosen_are_made_in_their_order(context):
    settings = {**SETTINGS, "kinds": ["spectrum", "terminal"]}
    chosen = all_functionals(Context(**{**vars(context), "settings": settings}))
    assert [f.kind for f in chosen] == ["spectrum", "terminal"]


def test_without_noise_there_is_no_likelihood(context):
    quiet = all_functionals(Context(**{**vars(context), "settings": {**SETTINGS, "noise": 0.0}}))
    assert "log_likelihood" not in [f.name for f in quiet]


def test_weights_are_the_derivative_of_the_value_at_random_arrays(context, made):
    rng = np.random.default_rng(5)
    z = trace(P) + 0.05 * rng.normal(size=(len(TIMES), 3))
    direction = rng.normal(size=z.shape)
    for functional in [*made.values(), *all_functionals(moved(context))]:
        if isinstance(functional, Functional):
            wanted = slope_of(lambda h, f=functional: f.value(z + 1e-2 * h * direction))
            found = np.sum(functional.weights(z) * 1e-2 * direction)
            # The smoothed positive part bends within 1e-3: there the difference has six digits.
            assert found == pytest.approx(wanted, rel=1e-6), functional.name


def moved(context: Context) -> Context:
    """The context with a maximum inside the window."""
    return Context(**{**vars(context), "observables": ("z",)})


def test_weights_of_events_are_the_derivative_of_the_value(made):
    exact, rng = events(P), np.random.default_rng(6)
    by_time, by_value = rng.normal(size=exact.times.shape), rng.normal(size=exact.values.shape)

    def at(h):
        return EventTable(
            **{
                **vars(exact),
                "times": exact.times + 0.1 * h * by_time,
                "values": exact.values + 0.1 * h * by_value,
            }
        )

    for functional in made.values():
        if isinstance(functional, EventFunctional):
            phi = functional.weights(exact)
            found = 0.1 * (np.sum(phi.times * by_time) + np.sum(phi.values * by_value))
            wanted = slope_of(lambda h, f=functional: f.value(at(h)))
            # values are of the size 50, so that rounding leaves 1e-14 * 50 / h
            assert found == pytest.approx(wanted, rel=1e-8, abs=1e-10), functional.name


def test_the_gradient_is_the_derivative_by_the_parameters(context, made):
    """Each functional of the closed form at moved parameters, differentiated numerically."""
    exact, seen = Observations.single(trace(P), tangents(P)), events(P)
    for functional in [*made.values(), *all_functionals(moved(context))]:
        for j in range(2):
            step = 0.01 * P[j] * np.eye(2)[j]
            if isinstance(functional, Functional):
                gradient = gradient_error(functional, exact, exact).reference
                wanted = slope_of(lambda h, f=functional, s=step: f.value(trace(P + h * s)))
            else:
                gradient = event_error(functional, seen, seen).reference
                wanted = slope_of(lambda h, f=functional, s=step: f.value(events(P + h * s)))
            size = max(1e-2 * np.max(np.abs(gradient)), 1e-2)
            # abs: where the derivative is zero the difference leaves rounding over h
            assert 0.01 * gradient[j] == pytest.approx(wanted, rel=1e-6, abs=1e-7 * size), (
                functional.name
            )


def gradient_of(made, name) -> np.ndarray:
    functional = made[name]
    if isinstance(functional, EventFunctional):
        return event_error(functional, events(P), events(P)).reference
    exact = Observations.single(trace(P), tangents(P))
    return gradient_error(functional, exact, exact).reference


@pytest.mark.parametrize(
    ("name", "value", "gradient"),
    [
        ("event_time_top_1", PERIOD, [0.0, -PERIOD]),
        ("event_time_bottom_10", 9.75 * PERIOD, [0.0, -9.75 * PERIOD]),
        ("event_value_x_top_10", AMPLITUDE, [AMPLITUDE, 0.0]),
        ("event_interval_top", PERIOD, [0.0, -PERIOD]),
        ("event_phase_top", 0.2, [0.0, 10.2]),  # t_end w / 2 pi - 10
        ("event_phase_bottom", 0.45, [0.0, 10.2]),
        ("event_count_top", 10.0, [0.0, 0.0]),
        (
            "terminal_x",
            AMPLITUDE * math.cos(FREQUENCY * T_END),
            [
                AMPLITUDE * math.cos(FREQUENCY * T_END),
                -AMPLITUDE * FREQUENCY * T_END * math.sin(FREQUENCY * T_END),
            ],
        ),
    ],
)
def test_closed_forms(made, name, value, gradient):
    source = events(P) if isinstance(made[name], EventFunctional) else trace(P)
    assert made[name].value(source) == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(gradient_of(made, name), gradient, rtol=1e-12, atol=1e-12)


def test_power_is_that_of_the_amplitude(made):
    """But for what Hann's window loses a quarter of a cycle off the frequency, 4 %.

    The 201 observations are 10.25 cycles, the frequency is fixed at 10.
    """
    off = 10.2 * 201 / 200 - 10.0
    kept = np.sinc(off) / (1.0 - off**2)
    value = made["spectrum_x"].value(trace(P))
    assert value == pytest.approx((kept * AMPLITUDE) ** 2, rel=1e-2)  # leaks of -10.25 cycles


def test_power_does_not_depend_on_the_phase(made):
    shifted = np.roll(trace(P), 3, axis=0)
    later = trace(P).copy()
    later[:, 0] = AMPLITUDE * np.cos(FREQUENCY * TIMES + 0.7)
    value = made["spectrum_x"].value
    assert shifted.shape == later.shape
    # up to what leaks from the negative frequency through Hann's window
    assert value(later) == pytest.approx(value(trace(P)), rel=1e-3)


def test_the_soft_count_is_the_number_of_upward_passages(made):
    """Ten: the squashed extremes cost 1.3 %, the smoothing as much; no passage is cut."""
    assert made["soft_count_x"].value(trace(P)) == pytest.approx(10.0, rel=0.03)


def test_a_wrong_period_does_not_misalign(made):
    """To first order in the period: the secular part of the sensitivity has no weight."""
    by_a, by_w = gradient_of(made, "phase_aligned")
    plain = np.abs(gradient_of(made, "log_likelihood"))
    assert abs(by_a) > 1e-3
    # the slope of the spline has an error of 1e-4 with 20 points a period
    assert abs(by_w) < 1e-3 * plain[1]


def test_the_log_likelihood_is_that_of_the_normal_distribution(context, made):
    from scipy.stats import norm

    wanted = norm.logpdf(trace(P)[:, :2], loc=context.data, scale=context.deviation).sum()
    assert made["log_likelihood"].value(trace(P)) == pytest.approx(wanted, rel=1e-13)


def test_the_number_of_events_has_a_natural_scale_and_no_derivative(made):
    count = made["event_count_top"]
    assert count.piecewise_constant
    # t_end / T has the scaled slope t_end / T; the two ends of nine intervals add 11 / 9 of it
    np.testing.assert_allclose(count.natural, [0.0, T_END / PERIOD * 11.0 / 9.0], rtol=1e-12)


def test_events_at_a_fixed_time_have_no_functionals_but_their_number():
    fixed = arranged(
        ("dose",),
        np.zeros(3, int),
        np.array([1.0, 2.0, 3.0]),
        np.full((3, 2), 1e-16),
        np.ones((3, 3)),
        np.zeros((3, 3, 2)),
    )
    context = Context(
        times=TIMES,
        observations=trace(P),
        states=("x", "z"),
        integrals=("x",),
        observables=("x",),
        settings=SETTINGS,
        sensitivities=tangents(P),
        occurrences=fixed,
    )
    names = [f.name for f in all_functionals(context) if isinstance(f, EventFunctional)]
    assert names == ["event_count_dose"]
