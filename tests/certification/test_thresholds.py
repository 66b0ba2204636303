"""Long runs to steady states see what a step passes over, and what lies ahead of them."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from gradaudit.certification.steady_state import steady_state
from gradaudit.errors import ModelError
from gradaudit.model.definition import Event
from resting import model


def peaking(y):
    """Rates of A' = -A, B' = A - 2 B from (1, 0), where B is 1 / 4 - (1 / 2 - exp(-t))^2."""
    return [-y[0], y[0] - 2.0 * y[1]]


BELOW = pytest.mark.parametrize("below", [1e-3, 1e-6])  # of the maximum: a step is longer


@pytest.mark.sampled(2)
@BELOW
def test_a_switch_that_a_maximum_crosses_there_and_back_is_seen(below):
    """While it is crossed, the flow is pushed to the other one of two steady states."""

    def field(t, y, p):
        push = jnp.where(y[1] > 0.25 - below, 10.0 / below**0.5, 0.0)
        return jnp.stack([*peaking(y), y[2] * (1.0 - y[2]) * (y[2] - p[0]) + push])

    events = {"near": Event(when=lambda t, y, p: y[1] - 0.25 + below)}
    found = steady_state(model(field, [1.0, 0.0, 0.1], [0.25], events=events))
    assert float(found.row.states[0, 2]) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.sampled(2)
@BELOW
def test_an_event_at_a_maximum_is_seen(below):
    event = Event(
        when=lambda t, y, p: y[1] - 0.25 + below,
        jump=lambda t, y, p: jnp.stack([y[0], y[1], y[2], 2.0 * y[3]]),
        direction=-1,
    )

    def field(t, y, p):
        return jnp.stack([*peaking(y), y[3] - p[0] * y[2], 0.0 * y[3]])

    whole = model(field, [1.0, 0.0, 1.0, 1.0], [0.5], events={"dose": event})
    with pytest.raises(ModelError, match="the event 'dose' happens before"):
        steady_state(whole)


def test_a_maximum_at_a_threshold_is_refused():
    def field(t, y, p):
        push = jnp.where(y[1] > 0.25 - 1e-9, 1e4, 0.0)
        return jnp.stack([*peaking(y), y[2] * (1.0 - y[2]) * (y[2] - p[0]) + push])

    events = {"near": Event(when=lambda t, y, p: y[1] - 0.25 + 1e-9)}
    with pytest.raises(ModelError, match=r"a threshold is touched about t = 0\.693"):
        steady_state(model(field, [1.0, 0.0, 0.1], [0.25], events=events))


@pytest.mark.parametrize(
    "when", [lambda t: jnp.sin(t) - 0.99999999, lambda t: t - 1e30], ids=["often", "late"]
)
def test_a_switch_of_time_that_no_look_finds_is_refused(when):
    def field(t, y, p):
        return jnp.stack([1.0 + jnp.where(when(t) > 0.0, 1.0, 0.0) - p[0] * y[0]])

    events = {"pulse": Event(when=lambda t, y, p: when(t))}
    with pytest.raises(ModelError, match="the rates depend on time"):
        steady_state(model(field, [1.0], [0.5], events=events))


@pytest.mark.slow
def test_an_event_long_after_all_is_at_rest_is_seen():
    def of(when):
        jump = Event(when=when, jump=lambda t, y, p: jnp.stack([y[0], 2.0 * y[1]]))
        return model(
            lambda t, y, p: jnp.stack([y[1] - p[0] * y[0], 0.0 * y[1]]),
            [1.0, 1.0],
            [0.5],
            events={"dose": jump},
        )

    found = steady_state(of(lambda t, y, p: t - 1e6))
    assert float(found.row.states[0, 0]) == pytest.approx(4.0, rel=1e-12)
    with pytest.raises(ModelError, match="'dose' happens later"):
        steady_state(of(lambda t, y, p: t - 1e30))
    with pytest.raises(ModelError, match="'dose' happens"):
        steady_state(of(lambda t, y, p: jnp.sin(t) - 0.99999999))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_start_beside_the_border_of_two_steady_states_is_refused(side):
    """s1 fades, and pushes s0 to the unstable 1 / 4 but for a share that no double run resolves."""
    critical = 0.17097163639458046

    def at(share):
        def field(t, y, p):
            return jnp.stack([y[0] * (1.0 - y[0]) * (y[0] - p[0]) + y[1], -y[1]])

        return model(field, [0.1, critical * (1.0 + side * share)], [0.25])

    with pytest.raises(ModelError, match="close to the border between two ways"):
        steady_state(at(1e-10))
    found = steady_state(at(1e-5))
    assert float(found.row.states[0, 0]) == pytest.approx(0.5 + 0.5 * side, abs=1e-15)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_start_at_zero_may_be_beside_the_border_too(side):
    critical = 0.5605966437559423 * (1.0 + side * 1e-10)

    def field(t, y, p):
        push = critical * y[1] * (1.0 - y[1])
        return jnp.stack([y[0] * (1.0 - y[0]) * (y[0] - p[0]) + push, 1.0 - y[1]])

    with pytest.raises(ModelError, match="close to the border between two ways"):
        steady_state(model(field, [0.0, 0.0], [0.25]))
