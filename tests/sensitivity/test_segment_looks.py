"""Solves from event to event: switches between observations, touched thresholds, contacts."""

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Event, Model

TIMES = np.array([0.0, 0.3, 1.0])


def solve(field, nominal, events, start=0.0):
    model = Model(
        name="m",
        vector_field=field,
        states={"y": (start, "")},
        parameters={f"p{i}": (value, "") for i, value in enumerate(nominal)},
        events=events,
        t_end=1.0,
    )
    return gradaudit.sensitivities(model, method="saltation", times=TIMES, rtol=1e-8)


def off(t, y, p):
    return jnp.where(t < p[0], p[1], 0.0) + 0.0 * y


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "event"),
    [
        (off, Event(when=lambda t, y, p: t - 1.01 * p[0])),  # at another place
        (off, Event(when=lambda t, y, p: t - 0.4)),  # at the nominal time only
        (  # there and back between two observations
            lambda t, y, p: jnp.where((t > p[0]) & (t < p[0] + 0.1), p[1], 0.0) + 0.0 * y,
            Event(when=lambda t, y, p: t - 0.9),
        ),
        (  # of two directions one is declared
            lambda t, y, p: p[1] * (jnp.sin(8.0 * t / p[0]) >= 0.0) + 0.0 * y,
            Event(when=lambda t, y, p: jnp.sin(8.0 * t / p[0]), direction=-1),
        ),
        (  # it slides
            lambda t, y, p: jnp.where(y < p[0], 1.0, -1.0),
            Event(when=lambda t, y, p: y[0] - p[0]),
        ),
    ],
)
def test_a_switch_that_no_event_covers(field, event):
    assert solve(field, [0.4, 1.3], {"event": event}).status == "undeclared_switch"


@pytest.mark.slow
def test_a_switch_that_is_covered_is_right():
    result = solve(off, [0.4, 1.3], {"off": Event(when=lambda t, y, p: t - p[0])})
    assert result.status == "ok"
    assert np.allclose(result.sensitivities[-1, 0], [1.3, 0.4], rtol=1e-7)


@pytest.mark.slow
def test_a_touched_threshold():
    touch = {"hit": Event(when=lambda t, y, p: y[0] - p[1], jump=lambda t, y, p: y + 1.0)}
    rising = lambda t, y, p: jnp.stack([p[0] - t])  # noqa: E731  # up to p0^2 / 2 at p0
    assert solve(rising, [0.5, 0.125], touch).status == "grazing"
    assert solve(rising, [0.5, 0.126], touch).status == "ok"
    assert solve(rising, [0.5, 0.1], touch).status == "ok"


@pytest.mark.slow
def test_a_jump_onto_a_threshold_is_one_sided():
    events = {
        "set": Event(when=lambda t, y, p: t - 0.5, jump=lambda t, y, p: p[:1]),
        "up": Event(when=lambda t, y, p: y[0] - p[1]),
    }
    rate = lambda t, y, p: jnp.where(y >= p[1], 3.0, 1.0)  # noqa: E731
    assert solve(rate, [2.0, 2.0], events).one_sided == ("p0", "p1")
    beside = solve(rate, [1.9, 2.0], events)
    assert beside.one_sided == ()
    assert np.allclose(beside.sensitivities[-1, 0], [3.0, -2.0], rtol=1e-7)


@pytest.mark.slow
@pytest.mark.sampled(2)
@pytest.mark.parametrize(("threshold", "status"), [(0.5, "undeclared_switch"), (0.1, "ok")])
def test_a_switch_without_any_event_is_looked_for(threshold, status):
    """y falls from 1 to exp(-1): the threshold 0.5 is passed, 0.1 is not."""
    model = Model(
        name="switch",
        vector_field=lambda t, y, p: jnp.where(y > threshold, -p[0] * y, 0.0 * y),
        states={"y": (1.0, "")},
        parameters={"k": (1.0, "")},
        t_end=1.0,
    )
    found = gradaudit.sensitivities(model, method="saltation")
    assert found.status == status
    if status == "ok":
        assert found.sensitivities[-1, 0, 0] == pytest.approx(-np.exp(-1.0), rel=1e-4)
