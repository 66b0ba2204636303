"""The states alone, at given times or at the solver's own steps."""

import numpy as np
import pytest

import gradaudit
from gradaudit.errors import SettingError
from gradaudit.sensitivity.nominal_solve import JumpingPrimal, Primal, primal
from gradaudit.solvers.options import StaticOptions, TracedOptions

LOGISTIC = gradaudit.load_model("logistic")
OPTIONS = StaticOptions(solver="tsit5")
TRACED = TracedOptions(1e-8, 1e-11)


def closed_form(times, p):
    return np.stack([np.asarray(LOGISTIC.exact_solution(t, p)) for t in times])


@pytest.fixture(scope="module")
def at_own_steps():
    return primal(LOGISTIC, OPTIONS, 100)(np.zeros(1), TRACED)


def test_the_solvers_own_steps_are_its_solution_from_start_to_end(at_own_steps):
    """The global error of a smooth decaying problem is a few tens of its tolerance."""
    trace = at_own_steps
    assert trace.status == "ok"
    assert (trace.times[0], trace.times[-1]) == (0.0, LOGISTIC.t_end)
    assert len(trace.times) == len(trace.states) == trace.accepted + 1
    assert np.all(np.diff(trace.times) > 0.0)
    assert trace.steps == trace.accepted + trace.rejected
    exact = closed_form(trace.times, LOGISTIC.nominal)
    np.testing.assert_allclose(trace.states, exact, rtol=1e-6)


def test_a_solve_for_other_parameters_is_no_other_program(at_own_steps):
    p = 1.1 * LOGISTIC.nominal
    program = primal(LOGISTIC, OPTIONS, 100)
    assert isinstance(program, Primal)
    trace = program(np.zeros(1), TRACED, p=p)
    assert len(program._compiled) == 1
    np.testing.assert_allclose(trace.states, closed_form(trace.times, p), rtol=1e-6)


def test_too_few_steps_are_a_status(at_own_steps):
    trace = primal(LOGISTIC, OPTIONS, 100)(np.zeros(1), TracedOptions(1e-15, 1e-18))
    assert trace.status == "max_steps"
    assert trace.accepted <= 100


def test_a_program_is_made_once_for_model_and_options():
    assert primal(LOGISTIC, OPTIONS) is primal(LOGISTIC, StaticOptions(solver="tsit5"))
    assert primal(LOGISTIC, OPTIONS) is not primal(LOGISTIC, OPTIONS, 5)


def test_a_model_that_jumps_is_observed_at_given_times_alone():
    ball = gradaudit.load_model("bouncing_ball")
    assert isinstance(primal(ball, OPTIONS), JumpingPrimal)
    with pytest.raises(SettingError, match="jumps at events, where the solver's own steps end"):
        primal(ball, OPTIONS, 10)
