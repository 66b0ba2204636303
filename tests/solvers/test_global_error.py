"""The perturbed solve: through events, with dense output, and what its distance is worth."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from eventful import bouncing_ball
from gradaudit.errors import SettingError
from gradaudit.model.probe_direction import signs
from gradaudit.sensitivity.hybrid_program import HybridProgram
from gradaudit.solvers.options import StaticOptions
from gradaudit.solvers.registry import get_solver
from gradaudit.solvers.tangent_solver import StateAndTangents


def exact(model, times):
    """States (T, n) and sensitivities (T, n, m) of a model with a closed form."""
    p = jnp.asarray(model.nominal)
    states = jax.vmap(lambda t: model.exact_solution(t, p))(times)
    slopes = jax.vmap(lambda t: jax.jacfwd(lambda p: model.exact_solution(t, p))(p))(times)
    return np.asarray(states), np.asarray(slopes)


def size(x):
    return float(np.sqrt(np.mean(np.square(x))))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["harmonic_oscillator", "dense_output"])
@pytest.mark.parametrize("solver", ["tsit5", "bosh3", "dopri8", "kvaerno5"])
def test_the_estimate_of_a_smooth_problem_tends_to_one_less_two_to_minus_the_order(name, solver):
    """Of the error of the sensitivities, to 2 %: at 1e-7 the next order of it is 1 %."""
    model = gradaudit.load_model(name)
    found = gradaudit.sensitivities(
        model, solver=solver, rtol=1e-7, times=[0.5 * model.t_end, model.t_end], estimate=True
    )
    true = size(found.sensitivities - exact(model, found.times)[1])
    said = size(found.estimates.sensitivities[:, : model.n])
    assert said / true == pytest.approx(1.0 - 2.0 ** -get_solver(solver).order, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("rtol", [1e-3, 1e-6])
def test_the_estimate_holds_where_stability_limits_the_steps(rtol):
    """The steps are as many at both tolerances. Measured is twice the error, from 1e-3 to 1e-7."""
    model = gradaudit.load_model("prothero_robinson@stiffness=1000")
    found = gradaudit.sensitivities(model, rtol=rtol, estimate=True)
    true = size(found.sensitivities - exact(model, found.times)[1])
    said = size(found.estimates.sensitivities[:, : model.n])
    assert 400 < found.stats["steps"] < 700
    assert 0.5 < said / true < 3.0


@pytest.mark.slow
@pytest.mark.parametrize("rtol", [1e-4, 1e-6])
def test_observations_inside_and_at_the_end_of_long_steps_have_their_own_estimate(rtol):
    """Steps of 1000 units, and a last one in which Newton's method runs away if it is repeated.

    The roots are found to a tenth of the tolerance: what a looser root finder leaves in a half of a
    step can be 40 times the error, and is then what the estimate says.
    """
    model = gradaudit.load_model("robertson@t_end=40000")
    times = np.array([3.0, 300.0, 1e4, 4e4])
    found = gradaudit.sensitivities(
        model, solver="kvaerno5", rtol=rtol, times=times, estimate=True, root_tolerance=0.1
    )
    exact = gradaudit.reference(model, times).sensitivities
    for k in range(len(times)):
        true = size((found.sensitivities - exact)[k] / np.abs(exact[k]).max(axis=0))
        said = size(found.estimates.sensitivities[k, : model.n] / np.abs(exact[k]).max(axis=0))
        assert true < 0.1 * rtol**0.5
        assert 0.7 < said / true < 1.4


@pytest.mark.slow
@pytest.mark.parametrize("rtol", [1e-6, 1e-9])
def test_what_dense_output_is_off_by_is_part_of_the_estimate(rtol):
    """Of Dopri8, whose interpolant errs five to fifty times as much as its steps here."""
    model = gradaudit.load_model("dense_output")
    plain, told = (
        gradaudit.sensitivities(
            model, solver="dopri8", rtol=rtol, observe="interpolant", estimate=estimate
        )
        for estimate in (False, True)
    )
    np.testing.assert_allclose(told.states, plain.states, atol=1e-9)
    states, slopes = exact(model, told.times)
    for said, true in zip(
        told.estimates[:2], (told.states - states, told.sensitivities - slopes), strict=True
    ):
        assert size(said) == pytest.approx(size(true), rel=1 / 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bouncing_ball", "integrate_and_fire", "repeated_dose"])
def test_the_perturbed_solve_has_the_saltation_that_forward_ad_lacks(name):
    """So that tangents and their estimated errors add up to the certified ones.

    To 1 % of the largest: within the step behind an event the estimate is a straight line.
    """
    model = gradaudit.load_model(name)
    reference = gradaudit.reference(model)
    found = gradaudit.sensitivities(model, rtol=1e-6, estimate=True)
    mended = found.sensitivities + found.estimates.sensitivities[:, : model.n]
    largest = np.max(np.abs(reference.sensitivities), axis=(0, 1))
    np.testing.assert_array_less(np.abs(mended - reference.sensitivities) / largest, 1e-2)
    assert np.max(np.abs(found.sensitivities - reference.sensitivities) / largest) > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bouncing_ball", "integrate_and_fire", "repeated_dose"])
def test_with_saltation_the_estimate_is_near_and_small(name):
    """Steps are a hundredth of the window there. Errors below 1e-12 are those of rounding."""
    model = gradaudit.load_model(name)
    reference = gradaudit.reference(model)
    found = gradaudit.sensitivities(model, rtol=1e-6, method="saltation", estimate=True)
    largest = np.max(np.abs(reference.sensitivities))
    true = size(found.sensitivities - reference.sensitivities) / largest
    said = size(found.estimates.sensitivities[:, : model.n]) / largest
    assert said == pytest.approx(true, rel=0.5, abs=1e-12)
    assert said < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("saltation", [True, False])
def test_an_error_goes_through_a_bounce_as_a_perturbed_trajectory_does(saltation):
    """A ball beside the ball bounces at a time of its own.

    Its way at the rates of the bounce is right to second order of the distance, 1e-4 of one.
    """
    model = bouncing_ball()
    g, e, height = model.nominal
    event = model.events["bounce"]
    solve = HybridProgram(model, StaticOptions(solver="tsit5", estimate=True, saltation=saltation))
    t, speed = np.sqrt(2 * height / g), np.sqrt(2 * height * g)
    p = jnp.asarray(model.nominal)
    seeds = jnp.diag(p)
    begin = solve.start(p, seeds)
    at_bounce = jnp.zeros_like(begin.state).at[:2].set(jnp.asarray([0.0, -speed]))
    beside = jnp.zeros_like(begin.state).at[:2].set(jnp.asarray([1e-4, -2e-4]))
    zeros = jnp.zeros_like(begin.tangents)
    error = StateAndTangents(beside, zeros)
    crossing = solve.transition(event, t, at_bounce, zeros, error, begin.decisions, p, seeds)
    fast = speed + 2e-4
    wait = (-fast + np.sqrt(fast**2 + 2 * g * 1e-4)) / g
    rebound = e * (fast + g * wait)
    expected = [-wait * rebound - g * wait**2 / 2, rebound + g * wait - e * speed]
    np.testing.assert_allclose(crossing.error.y[:2], expected, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "observe"), [("spike_count", "step"), ("dense_output", "interpolant")]
)
def test_probing_is_the_estimate_along_a_direction(name, observe):
    """To rounding: tangents are linear, and the perturbed solve's states are the same."""
    model = gradaudit.load_model(name)
    whole, along = (
        gradaudit.sensitivities(model, rtol=1e-4, observe=observe, estimate=estimate).estimates
        for estimate in (True, "probe")
    )
    expected = whole.sensitivities * model.parameter_scale @ signs(model.m)
    np.testing.assert_allclose(
        along.sensitivities[..., 0], expected, atol=1e-9 * np.max(np.abs(expected))
    )
    assert along.events == ()


def test_probing_through_jumps_is_refused():
    with pytest.raises(SettingError, match="jumps; take estimate=True"):
        gradaudit.sensitivities("bouncing_ball", estimate="probe")


@pytest.mark.slow
@pytest.mark.parametrize("rtol", [1e-3, 1e-6])
@pytest.mark.parametrize("name", ["bouncing_ball", "switch_in_state"])
def test_the_perturbed_solve_has_the_right_derivative_of_an_event_s_time(name, rtol):
    """Forward AD has it wrong behind a bounce, and half of it if found on the wrong side of a kink.

    To 1 % for the same reason as above.
    """
    found = gradaudit.sensitivities(name, rtol=rtol, estimate=True)
    certified = gradaudit.reference(name).events
    largest = max(np.max(np.abs(event.slope)) for event in certified)
    assert len(found.estimates.events) == len(found.events) == len(certified)
    for said, true in zip(found.estimates.events, certified, strict=True):
        np.testing.assert_allclose(said.slope, true.slope, atol=1e-2 * largest)


@pytest.mark.slow
def test_the_estimated_error_of_a_spike_time_falls_with_the_tolerance():
    """It is near: measured 0.98 of the true error at 1e-7. A factor of two is for 1e-5."""
    certified = gradaudit.reference("spike_count").events
    largest = []
    for rtol in (1e-5, 1e-7):
        computed = gradaudit.sensitivities("spike_count", rtol=rtol, estimate=True)
        triples = zip(computed.events, computed.estimates.events, certified, strict=True)
        ratios, estimates = [], []
        for here, perturbed, true in triples:
            estimates.append(np.linalg.norm(here.slope - perturbed.slope))
            ratios.append(estimates[-1] / np.linalg.norm(here.slope - true.slope))
        assert min(ratios) > 0.5
        assert max(ratios) < 2.0
        largest.append(max(estimates))
    assert largest[1] < 1e-2 * largest[0]
