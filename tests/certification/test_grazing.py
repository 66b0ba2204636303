"""Touched thresholds: y' = p0 - t reaches p0^2 / 2 at t = p0, and falls again."""

import time
from contextlib import suppress

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Event, Model, TranslationError


def parabola(gap, **options):
    """A pulse of y's integral while y is above its highest value less `gap`."""
    return Model(
        name="parabola",
        vector_field=lambda t, y, p: jnp.stack([p[0] - t, jnp.where(y[0] > p[1], 1.0, 0.0)]),
        states={"y": (0.0, ""), "above": (0.0, "")},
        parameters={"a": (0.5, ""), "threshold": (0.125 - gap, "")},
        events={"hit": Event(when=lambda t, y, p: y[0] - p[1], **options)},
        t_end=1.0,
    )


@pytest.mark.slow
def test_a_touch_is_not_certified_from_there_on():
    ref = gradaudit.reference(parabola(0.0), np.array([0.25, 1.0]))
    assert ref.status.startswith("uncertified: grazing")
    assert "at t = 0.5 the solution touches the threshold of 'hit'" in ref.status
    assert float(np.nanmin(ref.digits.per_entry[0])) > 12.0
    assert float(np.nanmax(ref.digits.per_entry[1])) == 0.0


@pytest.mark.sampled(2)
@pytest.mark.parametrize("gap", [1e-4, -1e-4])
def test_what_is_crossed_or_missed_is_certified(gap):
    ref = gradaudit.reference(parabola(gap), np.array([0.25, 1.0]))
    assert ref.status == "ok"
    # above for 2 sqrt(2 gap), where gap = a^2 / 2 - threshold
    slope = [0.5, -1.0] if gap > 0 else [0.0, 0.0]
    expected = np.array(slope) * 2.0 / np.sqrt(2.0 * abs(gap))
    assert np.allclose(ref.sensitivities[-1, 1], expected, rtol=1e-10)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("time", "direction"), [(0.5, 0), (0.4, 0), (1 / 3, -1), (1 / 3, 0)])
def test_a_touch_for_all_parameters_is_none(time, direction):
    """The event finder takes it for a crossing or not, by its rounding."""
    model = Model(
        name="square",
        vector_field=lambda t, y, p: -p[0] * y,
        states={"y": (1.0, "")},
        parameters={"k": (0.7, ""), "time": (time, "")},
        events={
            "never": Event(
                when=lambda t, y, p: (t - p[1]) ** 2,
                jump=lambda t, y, p: y + 1,
                direction=direction,
            )
        },
        t_end=1.0,
    )
    found = gradaudit.reference(model, np.array([0.2, 1.0]), method="taylor")
    assert found.status == "ok"
    assert not found.events
    assert not found.sensitivities[:, 0, 1].any()


@pytest.mark.parametrize("method", ["taylor", "collocation"])
def test_the_second_of_two_zeros_is_not_taken_for_the_first(method):
    """They enclose a pulse, of 1e-11 of the window."""
    begin, end = 0.4, 0.4 + 1e-11
    model = Model(
        name="twice",
        vector_field=lambda t, y, p: (
            jnp.where((t - begin) * (end - t) > 0.0, p[0] / 1e-11, 0.0) - y
        ),
        states={"y": (1.0, "")},
        parameters={"r": (1.3, "")},
        events={"both": Event(when=lambda t, y, p: (t - begin) * (end - t))},
        t_end=1.0,
    )
    with suppress(TranslationError):
        found = gradaudit.reference(model, np.array([0.2, 1.0]), method=method)
        assert found.status.startswith("uncertified: ")
        assert found.digits.per_entry[1, 0, 0] == 0.0


def test_a_crossing_beside_a_touch_ends_in_time():
    """In double precision rounding puts the state onto the threshold again at every step."""
    model = Model(
        name="thrown",
        vector_field=lambda t, y, p: jnp.stack([y[1], -1.0 + 0.0 * y[0], 0.0 * y[2]]),
        states={"height": (0.0, ""), "speed": (1.0, ""), "when": (0.0, "")},
        parameters={"speed0": (1.0, ""), "threshold": (0.5 - 1e-13, "")},
        initial_state=lambda p: jnp.stack([0.0 * p[0], p[0], 0.0 * p[0]]),
        events={
            "hit": Event(
                when=lambda t, y, p: y[0] - p[1],
                jump=lambda t, y, p: y.at[2].set(y[2] + t),
                direction=1,
            )
        },
        t_end=3.0,
    )
    started = time.perf_counter()
    ref = gradaudit.reference(model, np.array([0.5, 2.0]), time_limit=20.0)
    assert time.perf_counter() - started < 60.0
    assert ref.status.startswith("uncertified: grazing")
