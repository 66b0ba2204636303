"""Collocation through events, against closed forms and against the Taylor method."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import eventful
import gradaudit
from gradaudit import Event, Model, TranslationError

EVENTFUL_LIBRARY = (
    "bouncing_ball",
    "grazing_oscillator",
    "infusion",
    "integrate_and_fire",
    "repeated_dose",
    "spike_count",
    "switch_in_state",
    "switch_in_time",
)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, marks=pytest.mark.slow if make is eventful.rectified else ())
        for make in eventful.MODELS
    ],
    ids=lambda make: make.__name__,
)
def test_no_entry_claims_more_digits_than_hold(make):
    model = make()
    found = gradaudit.reference(model, method="collocation")
    assert found.status == "ok"
    assert all(rung["method"].startswith("collocation") for rung in found.rungs)
    exact = np.stack(
        [jax.jacfwd(model.exact_solution, argnums=1)(t, model.nominal) for t in found.times]
    )
    # which is itself good to about 1e-14 in double precision
    largest = np.max(np.abs(exact), axis=(0, 1))
    claimed = np.nan_to_num(10.0**-found.digits.per_entry) * np.abs(exact) + 3e-14 * largest
    counted = np.isfinite(found.digits.per_entry)
    assert np.all((np.abs(found.sensitivities - exact) <= claimed)[counted])


@pytest.mark.slow
@pytest.mark.parametrize("name", EVENTFUL_LIBRARY)
def test_both_methods_agree_to_the_digits_that_they_claim(name):
    one, other = (gradaudit.reference(name, method=m) for m in ("taylor", "collocation"))
    assert (one.status, other.status) == ("ok", "ok")
    apart = np.abs(one.extended.sensitivities - other.extended.sensitivities)
    assert np.all(apart <= one.extended.sensitivity_bounds + other.extended.sensitivity_bounds)
    assert [e.name for e in one.events] == [e.name for e in other.events]
    for a, b in zip(one.events, other.events, strict=True):
        assert a.time == pytest.approx(b.time, rel=1e-14)
        np.testing.assert_allclose(a.slope, b.slope, rtol=1e-12, atol=1e-14)


RATE, THRESHOLD, LEVEL = 2e4, 1e-3, 1.5


def switched_decay():
    """y falls at a rate of 2e4 to a threshold, and rises then; w follows it 100 times as fast."""
    return Model(
        name="switched_decay",
        vector_field=lambda t, y, p: jnp.stack(
            [-p[0] * jnp.where(y[2] < 0.5, y[0], y[0] - p[2]), -2e6 * (y[1] - y[0]), 0.0 * t]
        ),
        states={"y": (1.0, ""), "w": (1.0, ""), "on": (0.0, "")},
        parameters={"k": (RATE, ""), "threshold": (THRESHOLD, ""), "level": (LEVEL, "")},
        t_end=1.0,
        events={
            "low": Event(
                when=lambda t, y, p: y[0] - p[1],
                direction=-1,
                jump=lambda t, y, p: jnp.stack([y[0], y[1], 1.0 + 0.0 * t]),
            ),
            "on": Event(when=lambda t, y, p: y[2] - 0.5),
        },
    )


@pytest.mark.slow
def test_a_stiff_model_with_an_event_is_certified():
    """Its event is at log(1 / threshold) / k; the Taylor method would need 250,000 steps."""
    at = -np.log(THRESHOLD) / RATE
    times = np.array([0.5 * at, 1.1 * at, 2.0 * at, 1.0])
    found = gradaudit.reference(switched_decay(), times, digits=11.0)
    assert found.status == "ok"
    assert found.rungs[0]["why"].startswith("stiff")
    (event,) = found.events
    assert event.time == pytest.approx(at, rel=1e-13)
    np.testing.assert_allclose(
        event.slope, [-at / RATE, -1.0 / (RATE * THRESHOLD), 0.0], rtol=1e-11, atol=1e-20
    )
    with mpmath.workdps(40):
        point = [mpmath.mpf(x) for x in (RATE, THRESHOLD, LEVEL)]
        for row, t in enumerate(times):
            y, slopes = value_and_slopes(mpmath.mpf(float(t)), point)
            assert (
                abs(extended(found.extended.states[row, 0]) - y)
                <= (found.extended.state_bounds[row, 0])
            )
            for j, slope in enumerate(slopes):
                wrong = abs(extended(found.extended.sensitivities[row, 0, j]) - slope)
                assert wrong <= found.extended.sensitivity_bounds[row, 0, j]


def value_and_slopes(t, point):
    k, low, level = point
    at = -mpmath.log(low) / k
    if t < at:
        return mpmath.exp(-k * t), (-t * mpmath.exp(-k * t), 0, 0)
    # (low - level) exp(-k (t - at)) = (1 - level / low) exp(-k t)
    gone = mpmath.exp(-k * t) / low
    return level + (low - level) * gone, (
        -t * (low - level) * gone, level * gone / low, 1 - gone,
    )  # fmt: skip


def extended(number):
    return mpmath.mpf(str(number))


@pytest.mark.parametrize("method", ["taylor", "collocation"])
def test_events_closer_than_what_is_looked_for_are_told(method):
    """One doubles y and the other adds 1, half of 1e-11 of the window later."""
    model = Model(
        name="close",
        vector_field=lambda t, y, p: -y,
        states={"y": (1.0, "")},
        parameters={"a": (0.4, ""), "b": (0.4 + 5e-12, "")},
        t_end=1.0,
        events={
            "double": Event(when=lambda t, y, p: t - p[0], jump=lambda t, y, p: 2.0 * y),
            "add": Event(when=lambda t, y, p: t - p[1], jump=lambda t, y, p: y + 1.0),
        },
    )
    status = gradaudit.reference(model, np.array([0.2, 1.0]), method=method).status
    assert status.startswith("uncertified: lost_event after t = 0.2")
    assert "the event 'add' follows by less than 1e-11 of the window" in status


def test_events_at_one_time_are_refused_if_their_order_matters():
    model = Model(
        name="together",
        vector_field=lambda t, y, p: -y,
        states={"y": (1.0, "")},
        parameters={"a": (0.4, ""), "b": (0.4, "")},
        t_end=1.0,
        events={
            "double": Event(when=lambda t, y, p: t - p[0], jump=lambda t, y, p: 2.0 * y),
            "add": Event(when=lambda t, y, p: t - p[1], jump=lambda t, y, p: y + 1.0),
        },
    )
    found = gradaudit.reference(model, np.array([0.2, 1.0]), method="collocation")
    assert found.status.startswith("uncertified: simultaneous_events after t = 0.2")
    assert "the result depends on their order" in found.status
    assert np.nanmin(found.digits.per_entry[0], initial=99.0) > 12.0


def test_a_touch_is_told_as_by_the_taylor_method():
    """y' = a - t touches a^2 / 2 at t = a."""
    model = Model(
        name="parabola",
        vector_field=lambda t, y, p: p[0] - t + 0.0 * y,
        states={"y": (0.0, "")},
        parameters={"a": (0.5, ""), "threshold": (0.125, "")},
        events={"hit": Event(when=lambda t, y, p: y[0] - p[1], jump=lambda t, y, p: y + 1.0)},
        t_end=1.0,
    )
    found = gradaudit.reference(model, np.array([0.25, 1.0]), method="collocation")
    assert found.status.startswith("uncertified: grazing")
    assert "at t = 0.5 the solution touches the threshold of 'hit'" in found.status
    assert float(np.nanmin(found.digits.per_entry[0])) > 12.0


def test_an_observation_at_an_event_is_made_behind_it():
    model = eventful.bouncing_ball()
    fall = float(np.sqrt(2.0 / 9.81))
    times = np.array([0.2, fall, 1.0])
    one, other = (gradaudit.reference(model, times, method=m) for m in ("taylor", "collocation"))
    assert other.states[1, 1] == pytest.approx(0.8 * np.sqrt(2.0 * 9.81), rel=1e-12)
    np.testing.assert_allclose(one.sensitivities, other.sensitivities, rtol=1e-12, atol=1e-13)
    assert one.status.split(";")[0] == other.status.split(";")[0]


def test_an_event_at_the_end_of_the_window_happens():
    model = Model(
        name="end",
        vector_field=lambda t, y, p: -p[0] * y,
        states={"y": (1.0, "")},
        parameters={"k": (0.5, "")},
        t_end=2.0,
        events={"end": Event(when=lambda t, y, p: t - 2.0, jump=lambda t, y, p: y + 1.0)},
    )
    found = gradaudit.reference(model, method="collocation")
    assert found.status == "ok"
    assert found.states[-1, 0] == pytest.approx(1.0 + np.exp(-1.0), rel=1e-14)
    assert found.states[-2, 0] < 0.5


def test_a_switch_that_no_event_declares_is_refused():
    model = Model(
        name="undeclared",
        vector_field=lambda t, y, p: jnp.where(t < 0.3, 1.0, 0.0) - p[0] * y,
        states={"y": (1.0, "")},
        parameters={"k": (0.5, "")},
        t_end=1.0,
        events={"other": Event(when=lambda t, y, p: y[0] - 2.0)},
    )
    with pytest.raises(TranslationError, match=r"switches branches at t = 0\.3, where none"):
        gradaudit.reference(model, method="collocation")


def test_sliding_is_told():
    model = Model(
        name="sliding",
        vector_field=lambda t, y, p: jnp.where(y > 0.0, -p[0], p[0]),
        states={"y": (1.0, "")},
        parameters={"a": (2.0, "")},
        t_end=1.0,
        events={"zero": Event(when=lambda t, y, p: y[0])},
    )
    found = gradaudit.reference(model, method="collocation")
    assert found.status.startswith("uncertified: sliding")
    assert np.all(np.isfinite(found.sensitivities[found.times < 0.49]))


def test_a_switch_that_is_left_at_a_speed_of_zero_is_not_overlooked():
    """x = t^2 / 2 is above 0 at once, which a look ahead along the flow at t = 0 does not show."""
    model = Model(
        name="parabola",
        vector_field=lambda t, y, p: jnp.stack(
            [y[1], 1.0 + 0.0 * t, jnp.where(y[0] > 0.0, p[0], 0.0)]
        ),
        states={"x": (0.0, ""), "v": (0.0, ""), "w": (0.0, "")},
        parameters={"k": (0.7, "")},
        t_end=1.0,
        events={"mark": Event(when=lambda t, y, p: t - 0.2)},
    )
    with pytest.raises(TranslationError, match="leaves a threshold too slowly"):
        gradaudit.reference(model, np.array([0.25, 1.0]), method="collocation")


@pytest.mark.parametrize(
    "method", ["collocation", pytest.param("taylor", marks=pytest.mark.slow)]
)  # fmt: skip
def test_a_narrow_pulse_of_an_event_function_is_seen(method):
    """It is above 1/2 for 3e-5 of the window, while y falls smoothly."""
    width, centre = 2e-5, 0.43
    model = Model(
        name="pulse",
        vector_field=lambda t, y, p: -p[0] * y,
        states={"y": (1.0, "")},
        parameters={"k": (2.0, ""), "centre": (centre, "")},
        t_end=1.0,
        events={
            "above": Event(
                when=lambda t, y, p: jnp.exp(-(((t - p[1]) / width) ** 2)) - 0.5,
                direction=1,
                jump=lambda t, y, p: y + 1.0,
            )
        },
    )
    found = gradaudit.reference(model, np.array([0.9]), method=method)
    since = 0.9 - (centre - width * np.sqrt(np.log(2.0)))
    exact = [-0.9 * np.exp(-1.8) - since * np.exp(-2.0 * since), 2.0 * np.exp(-2.0 * since)]
    assert found.status == "ok"
    np.testing.assert_allclose(found.sensitivities[0, 0], exact, rtol=1e-11)
