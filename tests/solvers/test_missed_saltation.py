"""The witness of discontinuities: what steps over a switch leave out, without being told of it."""

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Model


def undeclared(vector_field, p=1.003, t_end=2.0):
    return Model(
        name="undeclared",
        vector_field=vector_field,
        states={"y": (0.0, "1")},
        parameters={"p": (p, "1")},
        t_end=t_end,
    )


def in_state(t, y, p):
    return jnp.where(y < p[0], 1.0, 2.0) * jnp.ones(1)


def in_time(t, y, p):
    return jnp.where(t < p[0], 1.0, 0.0) * jnp.ones(1)


def staircase(t, y, p):
    return jnp.floor(1.0 + y / p[0]) * jnp.ones(1)


@pytest.mark.sampled(6)
@pytest.mark.parametrize(
    ("field", "exact"), [(in_state, -1.0), (in_time, 1.0), (staircase, -13 / 3)]
)
@pytest.mark.parametrize("solver", ["tsit5", "kvaerno3"])
def test_the_term_that_is_missing_is_found_at_every_tolerance(field, exact, solver):
    """y = t up to t = p, where its slope becomes 2 or 0; dy(2)/dp is -1 and 1.

    On the staircase the slope is 2, 3 and 4 from y = p, 2p and 3p on: y(2) = 8 - 13 p / 3.
    There later stairs begin at times that depend on what was neglected before.

    Forward AD says 0. The solution is straight on both sides of the switch, so only the place of
    the crossing within its step is off, by the error that the step control admits there.
    """
    model = undeclared(field)
    for rtol in (1e-3, 1e-6, 1e-9):
        result = gradaudit.sensitivities(model, solver=solver, rtol=rtol, estimate=True)
        missing = result.estimates.sensitivities[-1, 0, 0]
        assert result.sensitivities[-1, 0, 0] == pytest.approx(0.0, abs=1e-12)
        assert result.indicators["neglected"] == pytest.approx(1.0)
        # a loose step may take two stairs at once, and then has one time for both
        assert missing == pytest.approx(exact, rel=2e-3 if rtol < 1e-3 else 0.1)


@pytest.mark.slow
def test_a_pulse_within_a_step_is_seen_by_its_two_ends():
    """y' = -y, and 1 more from p to p + 1e-3; what is between the ends of the step is not seen."""

    def pulse(t, y, p):
        return jnp.where((t > p[0]) & (t < p[0] + 1e-3), 1.0, 0.0) - y

    result = gradaudit.sensitivities(undeclared(pulse, p=50.0, t_end=60.0), times=[60.0])
    assert result.sensitivities[-1, 0, 0] == 0.0
    assert result.indicators["neglected"] == pytest.approx(1.0)


@pytest.mark.slow
def test_a_pulse_of_one_comparison_is_seen_where_its_size_turns():
    """As before, within 5e-4 of p: the comparison is false at both ends of the step."""

    def pulse(t, y, p):
        return jnp.where(jnp.abs(t - p[0]) < 5e-4, 1.0, 0.0) - y

    def never(t, y, p):
        return jnp.where(jnp.abs(t - p[0]) < -5e-4, 1.0, 0.0) - y

    for field, neglected in ((pulse, 1.0), (never, 0.0)):
        result = gradaudit.sensitivities(undeclared(field, p=50.0, t_end=60.0), times=[60.0])
        assert result.sensitivities[-1, 0, 0] == 0.0
        assert result.indicators["neglected"] == pytest.approx(neglected)


PULSES = {
    # of x = t - p, between two times that are not comparisons of their own; the last one is none
    "square": (lambda x: x**2 < 1e-6, 1.0),
    "difference": (lambda x: 1e-6 - x * x > 0.0, 1.0),
    "product": (lambda x: x * (1e-3 - x) > 0.0, 1.0),
    "fourth power": (lambda x: x**4 < 1e-12, 1.0),
    "never": (lambda x: x**2 < -1e-6, 0.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PULSES)
def test_a_pulse_is_seen_where_its_margin_turns_back(name):
    """It is of 1e-3 or 2e-3, and the steps before it, at rest, are of more than 1."""
    within, neglected = PULSES[name]

    def pulse(t, y, p):
        return jnp.where(within(t - p[0]), 1.0, 0.0) - y

    result = gradaudit.sensitivities(undeclared(pulse, p=50.0, t_end=60.0), times=[60.0])
    assert result.sensitivities[-1, 0, 0] == 0.0
    assert result.indicators["neglected"] == pytest.approx(neglected)


@pytest.mark.slow
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_comparison_with_nan_is_a_switch(sign):
    """It is false where the root ends, at t = p: y' is 1 on the one side and 2 on the other."""

    def field(t, y, p):
        return jnp.where(jnp.sqrt(sign * (t - p[0])) > -1.0, 1.0, 2.0) * jnp.ones(1)

    result = gradaudit.sensitivities(undeclared(field))
    assert result.indicators["neglected"] == pytest.approx(1.0)


def ratio(x, inner, outer, near=1.0):
    """x / expm1(x), and its series where x is small, with 0 / 0 kept out."""
    return jnp.where(jnp.abs(x) < outer, near - x / 2, x / jnp.expm1(jnp.where(inner(x), 1.0, x)))


GUARDED = {
    # of x, which passes 0 within a step
    "both sides": lambda x: ratio(x, lambda x: jnp.abs(x) < 1e-4, 1e-4),
    "a single point": lambda x: ratio(x, lambda x: x == 0.0, 1e-4),
    "nothing": lambda x: ratio(x, lambda x: x != x, 1e-8),
    "a maximum": lambda x: x**2 / jnp.maximum(jnp.abs(x), 1e-8),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GUARDED)
@pytest.mark.parametrize("of", ["time", "state"])
def test_the_value_at_a_removable_singularity_is_no_jump(name, of):
    """As in the rates of Hodgkin and Huxley, where the voltage passes -40 mV.

    Where the series takes over it differs from the quotient by w^2 / 12 < 1e-9.
    """

    def field(t, y, p):
        return 2.0 - 0.3 * y + GUARDED[name]((t if of == "time" else y) - p[0])

    result = gradaudit.sensitivities(undeclared(field, t_end=4.0), rtol=1e-6)
    assert result.indicators["crossing_slope"] > 0.0, "the switch is crossed"
    assert result.indicators["neglected"] < 1e-6


@pytest.mark.slow
def test_a_wrong_value_at_a_singularity_is_a_jump():
    """Within 1e-3 of p the rate is 2 more, which is a pulse."""

    def field(t, y, p):
        return -0.3 * y + ratio(t - p[0], lambda x: x == 0.0, 1e-3, near=3.0)

    result = gradaudit.sensitivities(undeclared(field), rtol=1e-6)
    assert result.indicators["neglected"] > 0.5


@pytest.mark.slow
def test_a_pulse_whose_width_is_the_parameter_is_seen():
    """y' = -y, and 1 more within p of 50: it is entered at 50 - p, and the size turns at 50."""

    def pulse(t, y, p):
        return jnp.where(jnp.abs(t - 50.0) < p[0], 1.0, 0.0) - y

    result = gradaudit.sensitivities(undeclared(pulse, p=5e-4, t_end=60.0), times=[60.0])
    assert result.sensitivities[-1, 0, 0] == 0.0
    assert result.indicators["neglected"] == pytest.approx(1.0)


@pytest.mark.slow
def test_the_time_of_a_switch_is_that_of_its_margin_and_not_of_a_straight_line():
    """y' = 1 + [t^3 > p^3]: dy/dp = -1, though the steps are long and t^3 is curved."""

    def field(t, y, p):
        return jnp.where(t**3 > p[0] ** 3, 2.0, 1.0) * jnp.ones(1)

    result = gradaudit.sensitivities(undeclared(field), rtol=1e-3, estimate=True)
    assert result.estimates.sensitivities[-1, 0, 0] == pytest.approx(-1.0, abs=1e-9)


@pytest.mark.slow
def test_two_comparisons_of_one_switch_turn_together():
    """What one of them takes away the other one gives: nothing jumps."""

    def same(t, y, p):
        return (jnp.where(t > p[0], 1.0, 0.0) + jnp.where(t <= p[0], 1.0, 0.0)) * jnp.ones(1)

    result = gradaudit.sensitivities(undeclared(same))
    assert result.indicators["neglected"] == pytest.approx(0.0, abs=1e-9)


def test_a_smooth_field_neglects_nothing():
    result = gradaudit.sensitivities("logistic", rtol=1e-4)
    assert result.indicators == {"faint": 0.0, "neglected": 0.0, "crossing_slope": 0.0}


@pytest.mark.slow
def test_a_kink_is_no_jump():
    """max(y - p, 0) is continuous: what is said to be missing falls with the tolerance."""
    model = undeclared(lambda t, y, p: 1.0 + jnp.maximum(y - p[0], 0.0))
    said = [
        gradaudit.sensitivities(model, rtol=rtol).indicators["neglected"] for rtol in (1e-3, 1e-9)
    ]
    assert said[1] < 1e-4


@pytest.mark.slow
def test_jumps_are_seen_by_forward_ad_and_not_by_saltation():
    for method, share in (("forward_ad", 1.0), ("saltation", 0.0)):
        result = gradaudit.sensitivities("bouncing_ball", method=method, rtol=1e-6)
        assert result.indicators["neglected"] == pytest.approx(share)
        assert result.indicators["crossing_slope"] > 0.1


@pytest.mark.slow
def test_the_slope_of_a_crossing_is_that_of_its_time():
    """y = t until y = p, so dtau/dp = 1, p times that over the window is p / 2."""
    result = gradaudit.sensitivities(undeclared(in_state), rtol=1e-6)
    assert result.indicators["crossing_slope"] == pytest.approx(1.003 / 2, rel=1e-6)
    assert np.isfinite(result.indicator)
