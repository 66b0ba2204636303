"""Steady states are those of closed forms, and what has none is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from gradaudit.certification.heyoka.precision import QUAD, available
from gradaudit.certification.steady_state import steady_state
from gradaudit.errors import ModelError
from gradaudit.model.definition import Event, Model
from resting import model


def assert_is(found: Any, exact: Callable[..., list[Any]], values: list[float]) -> None:
    """States and sensitivities are those of the closed form in 40 digits, within their bounds."""
    with mpmath.workdps(40):
        p = [mpmath.mpf(value) for value in values]
        for i, value in enumerate(exact(*p)):
            assert abs(_number(found.pieces[:, i]) - value) <= found.row.state_bounds[0, i]
            # long double holds 19 digits, and the pieces more
            assert found.row.state_bounds[0, i] <= 1e-18 * max(1.0, abs(value))
            for j in range(len(p)):
                slope = mpmath.diff(
                    lambda x, i=i, j=j: exact(*p[:j], x, *p[j + 1 :])[i],
                    p[j],
                    h=mpmath.mpf("1e-12"),
                )
                wrong = abs(_number(found.slope_pieces[:, i, j]) - slope)
                # the difference quotient itself is right to 1e-20 or so
                assert wrong <= found.row.sensitivity_bounds[0, i, j] + 1e-18 * max(1.0, abs(slope))


def _number(pieces: Any) -> Any:
    return mpmath.fsum(float(piece) for piece in pieces)


def test_a_conserved_total_is_that_of_the_start_which_depends_on_parameters():
    found = steady_state(
        model(
            lambda t, y, p: jnp.stack([p[1] * y[1] - p[0] * y[0], p[0] * y[0] - p[1] * y[1]]),
            [1.0, 0.5],
            [0.3, 0.6, 1.0],
            initial_state=lambda p: jnp.stack([p[2], 0.5 * p[2]]),
        )
    )
    assert found.laws == 1

    def exact(k1, k2, a):
        return [k2 * 1.5 * a / (k1 + k2), k1 * 1.5 * a / (k1 + k2)]

    assert_is(found, exact, [0.3, 0.6, 1.0])


@pytest.mark.skipif(not available(QUAD), reason="heyoka has no quad precision here")
def test_a_finer_one_has_thirty_digits_with_a_law_whose_coefficients_are_parameters():
    """a y0 + b y1 is conserved, with a and b of three digits that no binary number has."""

    def field(t, y, p):
        flux = p[2] * (y[0] - 2.0 * y[1])
        return jnp.stack([-flux / p[0], flux / p[1]])

    coarse = steady_state(model(field, [1.0, 3.0], [0.123, 45.6, 7e-6]))
    finer = coarse.finer()
    assert coarse.row.quad is None
    assert finer is not None
    assert finer.row.quad is not None
    with mpmath.workdps(60):
        a, b = mpmath.mpf(0.123), mpmath.mpf(45.6)
        states = [2 * (a + 3 * b) / (2 * a + b), (a + 3 * b) / (2 * a + b)]
        slope = (1 * (2 * a + b) - 2 * (a + 3 * b)) / (2 * a + b) ** 2
        found = np.asarray(finer.row.quad.states[0]), finer.row.quad.sensitivities[0, 1, 0]
        for i, value in enumerate(states):
            wrong = abs(mpmath.mpf(str(found[0][i])) - value)
            assert wrong <= finer.row.quad.state_bounds[0, i] <= 1e-33 * value  # quad has 34 digits
        wrong = abs(mpmath.mpf(str(found[1])) - slope)
        assert wrong <= finer.row.quad.sensitivity_bounds[0, 1, 0] <= 1e-32 * abs(slope)


def test_the_coefficients_of_a_law_may_be_parameters():
    """Concentrations in two volumes, which are parameters."""

    def field(t, y, p):
        flux = y[0] - 2.0 * y[1]
        return jnp.stack([-flux / p[0], flux / p[1]])

    found = steady_state(model(field, [1.0, 3.0], [2.0, 5.0]))

    def exact(v1, v2):
        b = (v1 + 3 * v2) / (2 * v1 + v2)
        return [2 * b, b]

    assert_is(found, exact, [2.0, 5.0])


def test_what_stays_at_zero_needs_no_law_of_its_own():
    """A complex that never decays, and that nothing forms as there is none of its second part."""

    def field(t, y, p):
        formed = p[0] * y[0] * y[1]
        return jnp.stack([p[1] - y[0] - formed, -formed, formed])

    found = steady_state(model(field, [0.0, 0.0, 0.0], [2.0, 3.0]))
    assert_is(found, lambda k, b: [b, 0 * k, 0 * k], [2.0, 3.0])


def test_slow_beside_fast_is_followed_to_its_end():
    def field(t, y, p):
        return jnp.stack([-1e3 * (y[0] - y[1]), -p[0] * (y[1] - p[1])])

    assert_is(steady_state(model(field, [1.0, 0.2], [1e-6, 3.0])), lambda k, b: [b, b], [1e-6, 3.0])


def test_of_two_steady_states_it_is_the_one_that_the_start_leads_to():
    def field(t, y, p):
        return jnp.stack([y[0] * (1 - y[0]) * (y[0] - p[0])])

    assert_is(steady_state(model(field, [0.3], [0.25])), lambda a: [mpmath.mpf(1)], [0.25])
    found = steady_state(model(field, [0.2], [0.25]))
    assert abs(found.row.states[0][0]) <= found.row.state_bounds[0, 0] + 1e-30


def test_switches_at_fixed_times_are_passed():
    def field(t, y, p):
        return jnp.stack([jnp.where(t < 5.0, 7.0, p[0]) - p[1] * y[0]])

    events = {"later": Event(when=lambda t, y, p: t - 5.0)}
    found = steady_state(model(field, [0.0], [3.0, 2.0], events=events))
    assert_is(found, lambda a, b: [a / b], [3.0, 2.0])


@pytest.mark.parametrize("inflow", [0.0, 0.25])
def test_what_is_conserved_in_the_end_only_is_refused(inflow):
    """An inflow until t = 5; if it is 0, its derivative is not."""

    def field(t, y, p):
        added = jnp.where(t < 5.0, p[2], 0.0)
        return jnp.stack([p[1] * y[1] - p[0] * y[0] + added, p[0] * y[0] - p[1] * y[1]])

    events = {"later": Event(when=lambda t, y, p: t - 5.0)}
    whole = model(field, [1.0, 0.5], [0.3, 0.6, inflow], events=events)
    with pytest.raises(ModelError, match="there is no steady state"):
        steady_state(whole)


def pulsed(t):
    """1 from t = 50 to 52, 0 at other times; and where it turns."""
    return jnp.where((t > 50.0) & (t < 52.0), 1.0, 0.0)


PULSE = {
    "on": Event(when=lambda t, y, p: t - 50.0),
    "off": Event(when=lambda t, y, p: t - 52.0),
}


def test_what_is_conserved_beside_a_pulse_only_is_refused():
    """Without the pulse all stands still, so that steps become longer than it."""

    def field(t, y, p):
        flux = p[0] * y[0] * pulsed(t)
        return jnp.stack([-flux, flux])

    with pytest.raises(ModelError, match="there is no steady state"):
        steady_state(model(field, [1.0, 0.0], [0.3], events=PULSE))


def test_a_pulse_that_leads_to_another_steady_state_is_seen():
    def field(t, y, p):
        return y * (1.0 - y) * (y - p[0]) + pulsed(t)

    whole = model(field, [0.1], [0.25], events=PULSE)
    assert_is(steady_state(whole), lambda a: [mpmath.mpf(1)], [0.25])


@pytest.mark.parametrize(
    "push",
    [
        lambda t, y: jnp.exp(-((t - 50.0) ** 2)),  # 0 in float64 at all but a few times
        lambda t, y: jnp.where(t > 1e5, 1.0, 0.0),  # later than all else
    ],
)
def test_what_moves_in_the_end_or_for_a_moment_only_is_no_steady_state(push):
    def field(t, y, p):
        flux = p[0] * y[0] * push(t, y)
        return jnp.stack([-flux, flux])

    with pytest.raises(ModelError, match="the rates depend on time"):
        steady_state(model(field, [1.0, 0.0], [0.3]))


@pytest.mark.slow
def test_a_pulse_long_after_an_event_is_refused_too():
    def field(t, y, p):
        return -p[0] * y + jnp.exp(-((t - 5e3) ** 2))

    dose = Event(when=lambda t, y, p: t - 1.0, jump=lambda t, y, p: y + 1.0)
    with pytest.raises(ModelError, match=r"do not come to rest, or not|depend on"):
        steady_state(model(field, [1.0], [3.0], events={"dose": dose}))


REFUSED = {
    "'s0' still changes.*grows": (lambda t, y, p: p[0] + 0.0 * y, [1.0], [1.0]),
    "there is no steady state.*oscillates": (
        lambda t, y, p: jnp.stack([p[0] * y[1], -y[0]]),
        [1.0, 0.0],
        [1.0],
    ),
    "the rates depend on time": (lambda t, y, p: jnp.sin(t) - p[0] * y, [1.0], [1.0]),
    "slow down without end": (lambda t, y, p: -p[0] * y**2, [1.0], [1.0]),
    "depends on the way": (
        # how much of s0 is left depends on the way
        lambda t, y, p: jnp.stack([-p[0] * y[0] * y[1], -p[1] * y[1]]),
        [1.0, 1.0],
        [1.0, 2.0],
    ),
    "this value of 'q0' only": (
        lambda t, y, p: jnp.stack([p[0] * y[1], -p[1] * (y[1] - 1)]),
        [1.0, 0.2],
        [0.0, 3.0],
    ),
    "unstable": (
        lambda t, y, p: y * (1 - y) * (y - p[0]),
        [0.25],
        [0.25],
    ),
}


def beside_fast(rates: Callable[..., list[Any]]) -> Any:
    """Rates of some states, and of one more that follows the first within 1e-6."""
    return lambda t, y, p: jnp.stack([*rates(y, p), 1e6 * (y[0] - y[-1])])


REACHED = {
    # rates, start, parameters, the state, its derivative by the first parameter
    "epidemic": (
        beside_fast(lambda y, p: [(p[1] - p[0] * y[0]) * y[1], (p[0] * y[0] - p[1]) * y[1]]),
        [1.0, 1e-14, 1.0],
        [3e-4, 1e-4],
        1 / 3,
        -1 / 3 / 3e-4,
    ),
    "pitchfork": (
        beside_fast(lambda y, p: [p[0] * y[0] - y[0] ** 3]),
        [1e-14, 0.0],
        [1e-4],
        1e-2,
        50.0,
    ),
    "slow decay": (beside_fast(lambda y, p: [1e-4 * (p[0] - y[0])]), [1.0, 1.0], [2.0], 2.0, 1.0),
}


@pytest.mark.parametrize("name", REACHED)
def test_slow_growth_beside_fast_reactions_is_not_taken_for_rest(name):
    """1e10 apart, which double precision does not tell from no growth."""
    rates, start, values, state, slope = REACHED[name]
    found = steady_state(model(rates, start, values))
    assert found.row.states[0, 0] == pytest.approx(state, rel=1e-12)
    assert found.row.sensitivities[0, 0, 0] == pytest.approx(slope, rel=1e-12)


CENTRES = {
    "spring": (lambda t, y, p: jnp.stack([y[1], p[0] - y[0]]), [1.0, 0.0], [1.0]),
    "pushed": (
        lambda t, y, p: jnp.stack([y[1], p[0] - y[0] + 1e-10 * y[1]]),
        [1.0, 0.0],
        [1.0],
    ),
    "predators": (
        lambda t, y, p: y * jnp.stack([p[0] - y[1], y[0] - 3.0]),
        [3.0 + 3e-7, 2.0],
        [2.0],
    ),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", CENTRES)
def test_at_the_centre_of_oscillations_nothing_comes_to_rest(name):
    """At another value of the parameter the states move for ever, and have no derivative there."""
    with pytest.raises(ModelError, match="there is no steady state"):
        steady_state(model(*CENTRES[name]))


@pytest.mark.sampled(4)
@pytest.mark.parametrize("reason", REFUSED)
def test_what_does_not_come_to_rest_is_refused_with_the_reason(reason):
    with pytest.raises(ModelError, match=reason):
        steady_state(model(*REFUSED[reason]))


def test_without_derivatives_a_rate_of_zero_is_no_reason_to_refuse():
    whole = model(*REFUSED["this value of 'q0' only"])
    found = steady_state(whole, derivatives=False)
    np.testing.assert_allclose(found.row.states[0], [1.0, 1.0], rtol=1e-18)


def test_behind_an_event_it_is_what_a_certified_solve_reaches():
    """The jump doubles the target at s1 = 1 / 2, whenever that is."""
    event = Event(
        when=lambda t, y, p: y[1] - 0.5, jump=lambda t, y, p: jnp.stack([y[0], y[1], 2.0 * y[2]])
    )

    def field(t, y, p):
        return jnp.stack([p[0] * y[2] - y[0], 1.0 - y[1], 0.0 * y[2]])

    found = steady_state(model(field, [0.0, 0.0, 3.0], [1.5], events={"dose": event}))
    assert not found.precise
    np.testing.assert_allclose(found.row.states[0], [9.0, 1.0, 6.0], rtol=1e-15)
    np.testing.assert_allclose(found.row.sensitivities[0, :, 0], [6.0, 0.0, 0.0], rtol=1e-15)
    assert np.all(np.abs(found.row.states[0] - [9.0, 1.0, 6.0]) <= found.row.state_bounds[0])


@pytest.mark.slow
def test_events_without_end_are_refused_by_the_name_of_one():
    event = Event(when=lambda t, y, p: y[0] - 0.5, jump=lambda t, y, p: 0.0 * y)
    whole = model(lambda t, y, p: p[0] - y, [0.0], [1.0], events={"dose": event})
    with pytest.raises(ModelError, match="the event 'dose' happens before"):
        steady_state(whole)


def test_an_ill_conditioned_root_has_bounds_that_hold():
    """Rates that differ by 1e-4: some of the 34 digits of quad precision are lost."""
    c = 1.0 - 1e-4

    def field(t, y, p):
        return jnp.stack([p[0] - y[0] - c * y[1], p[1] - c * y[0] - y[1]])

    found = steady_state(model(field, [0.0, 0.0], [1.0, 2.0]))

    def exact(a, b):
        k = mpmath.mpf(c)
        return [(a - k * b) / (1 - k**2), (b - k * a) / (1 - k**2)]

    with mpmath.workdps(40):
        for i, value in enumerate(exact(mpmath.mpf(1), mpmath.mpf(2))):
            wrong = abs(_number(found.pieces[:, i]) - value)
            # far better than long double holds
            assert wrong <= 1e-24 * abs(value)
            assert wrong <= found.row.state_bounds[0, i]


def test_a_state_that_reaches_zero_with_a_root_is_refused():
    """Its derivative by the state is infinite there."""

    def field(t, y, p):
        return jnp.stack([-p[0] * jnp.sqrt(y[0]), p[1] - y[1]])

    own = model(field, [1.0, 1.0], [1.0, 1.5])
    with pytest.raises(ModelError, match="not finite"):
        steady_state(own)


def test_a_start_at_a_threshold_that_a_parameter_moves_is_refused():
    """Two stable states: the start alone decides, and is at the threshold."""

    def field(t, y, p):
        return jnp.stack([jnp.where(y[0] > p[1], 2.0, 0.5) - p[0] * y[0]])

    more = {"events": {"up": Event(when=lambda t, y, p: y[0] - p[1])}}
    with pytest.raises(ModelError, match="begins at the threshold 'up'"):
        steady_state(model(field, [1.0], [1.0, 1.0], **more))
    assert_is(
        steady_state(model(field, [1.5], [1.0, 1.0], **more)), lambda k, th: [2 / k], [1.0, 1.0]
    )


@pytest.mark.parametrize(("fast", "slow"), [(1e3, 1e-6), (1e5, 1e-7)])
def test_bounds_have_the_rounding_of_conservation_laws(fast, slow):
    """A <-> B fast, B <-> C slow: C at rest does not depend on the slow rate, which rounding hid.

    C = s / (1 + q (1 + kb / kf)), and its derivative by the slow rate is 0.
    """
    q, total = 1.7, 2.3

    def rates(t, y, p):
        first, second = p[0] * y[0] - p[1] * y[1], p[2] * (y[1] - p[3] * y[2])
        return jnp.stack([-first, first - second, second])

    model = Model(
        name="fast_and_slow",
        vector_field=rates,
        states={"A": (total, ""), "B": (0.0, ""), "C": (0.0, "")},
        parameters={"kf": (fast, ""), "kb": (0.3 * fast, ""), "e": (slow, ""), "q": (q, "")},
        t_end=1.0,
    )
    found = steady_state(model)
    values, wrong = found.row.sensitivities[0], found.row.sensitivity_bounds[0]
    assert np.all(np.abs(values[:, 2].astype(float)) <= wrong[:, 2])
    share = 1.0 + q * 1.3  # B = q C, A = 0.3 B
    by_q = -total * 1.3 / share**2
    assert abs(float(values[2, 3]) - by_q) <= wrong[2, 3] + 2e-16
