"""Reverse mode: equal to forward AD where it transposes it, and failing where it must.

The discrete adjoint transposes the very steps of forward AD, so that they agree to 1e-11 (rounding,
and what it does to the step sizes); see test_theorems.py for the default way to observe.
"""

from dataclasses import replace

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Event, Model, SettingError
from gradaudit.sensitivity import adjoint
from gradaudit.sensitivity.adjoint import CHECKPOINTED_STEPS, backsolve_adjoint, discrete_adjoint
from gradaudit.sensitivity.request import Request
from gradaudit.sensitivity.solve_status import status_of
from gradaudit.solvers.options import SolveOptions

LOGISTIC = gradaudit.load_model("logistic")
TIMES = np.array([0.0, 2.0, 5.0])


def _relative(computed, certified):
    """Error over each parameter's largest sensitivity, the worst of all."""
    return np.max(np.abs(computed - certified) / np.max(np.abs(certified), axis=(0, 1)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("solver", "settings"),
    [
        ("heun", {"observe": "clip", "pid": (0.2, 0.4, 0.0)}),
        ("kvaerno3", {"observe": "interpolant", "root_tolerance": 0.1}),
    ],
)
def test_discrete_adjoint_is_forward_ad(solver, settings):
    run = {"solver": solver, "rtol": 1e-4, "times": TIMES, **settings}
    forward = gradaudit.sensitivities(LOGISTIC, method="forward_ad", **run)
    reverse = gradaudit.sensitivities(LOGISTIC, method="discrete_adjoint", **run)
    assert reverse.status == "ok"
    assert reverse.stats["steps"] == forward.stats["steps"]
    np.testing.assert_allclose(reverse.states, forward.states, rtol=1e-11)
    assert _relative(reverse.sensitivities, forward.sensitivities) < 1e-11
    assert _relative(reverse.integral_sensitivities, forward.integral_sensitivities) < 1e-11


@pytest.mark.slow
def test_rejected_steps_that_are_not_finite_leave_no_trace():
    """The first step is of 0.01, so that Heun's second stage is the root of a negative number."""
    draining = Model(
        name="draining",
        vector_field=lambda t, y, p: -p[0] * (jnp.sqrt(y) - p[1]),
        states={"y": (1.0, "m")},
        parameters={"k": (2000.0, "1/s"), "rest": (0.3, "m0.5")},
        t_end=0.02,
    )
    run = {"solver": "heun", "rtol": 1e-4, "times": [0.001, 0.02], "observe": "interpolant"}
    forward = gradaudit.sensitivities(draining, method="forward_ad", **run)
    reverse = gradaudit.sensitivities(draining, method="discrete_adjoint", **run)
    assert forward.stats["rejected"] > 0
    assert reverse.status == "ok"
    assert _relative(reverse.sensitivities, forward.sensitivities) < 1e-11


DECAY = Model(
    name="decay",
    vector_field=lambda t, y, p: -p[0] * (y - jnp.cos(t)),
    states={"y": (2.0, "mM")},
    parameters={"k": (0.5, "1/s"), "y0": (2.0, "mM")},
    initial_state=lambda p: p[1:],
    t_end=6.0,
)


@pytest.mark.slow
def test_backsolve_converges_where_the_model_remembers_its_past():
    """Two of three digits a decade of the tolerance; the initial state's parameter included."""
    times = [3.0, 6.0]
    exact = gradaudit.reference(DECAY, times=times)
    loose, tight = (
        gradaudit.sensitivities(DECAY, method="backsolve_adjoint", rtol=rtol, times=times)
        for rtol in (1e-4, 1e-8)
    )
    assert exact.status == loose.status == tight.status == "ok"
    error, finer = (_relative(r.sensitivities, exact.sensitivities) for r in (loose, tight))
    assert error < 1e-2
    assert finer < error / 30
    assert finer < 1e-6
    assert _relative(tight.integral_sensitivities, exact.integral_sensitivities) < 1e-6


@pytest.mark.slow
def test_backsolve_fails_where_the_model_forgets_its_past():
    """Backwards the state leaves the solution and is infinite before the next observation.

    Forwards there is nothing to it: other solutions run into this one.
    """
    forgetful = replace(
        DECAY,
        vector_field=lambda t, y, p: -p[0] * (y**3 - jnp.cos(t)),
        parameters={"k": (100.0, "1/s"), "y0": (2.0, "mM")},
    )
    run = {"rtol": 1e-6, "times": [3.0, 6.0]}
    forwards = gradaudit.sensitivities(forgetful, method="taylor", **run)
    failed = gradaudit.sensitivities(forgetful, method="backsolve_adjoint", **run)
    assert forwards.status == "ok"
    assert failed.status == "non_finite"
    assert np.all(np.isnan(failed.sensitivities))


@pytest.mark.slow
def test_a_solve_that_is_not_given_the_steps_is_a_status():
    run = {"method": "discrete_adjoint", "solver": "heun", "observe": "interpolant", "times": TIMES}
    result = gradaudit.sensitivities(LOGISTIC, rtol=1e-4, max_steps=5, **run)
    assert result.status == "max_steps"
    assert np.all(np.isnan(result.sensitivities))


@pytest.mark.parametrize("method", ["discrete_adjoint", "backsolve_adjoint", "complex_step"])
def test_a_state_that_jumps_is_refused(method):
    jump = Event(when=lambda t, y, p: y[0] - 1.0, jump=lambda t, y, p: y / 2.0)
    jumping = replace(LOGISTIC, events={"harvest": jump})
    result = gradaudit.sensitivities(jumping, method=method, times=TIMES)
    assert result.status == "has_jumps"
    assert result.sensitivities.shape == (3, 1, 2)
    assert np.all(np.isnan(result.sensitivities))


def test_backsolve_has_no_equal_steps():
    with pytest.raises(SettingError, match="has no steps"):
        gradaudit.sensitivities(LOGISTIC, method="backsolve_adjoint", steps=10)


# Below, programs are replaced: it is the order of passes and the steps of a replay that count.
PASSED_AT = np.array([1.0, 2.0, 5.0])
SCALE = LOGISTIC.parameter_scale
SIZE = LOGISTIC.n + 1


def request(**options):
    return Request(
        model=LOGISTIC, times=PASSED_AT, options=SolveOptions(rtol=1e-6, atol=1e-9, **options)
    )


def rows_at(times):
    """d z/dp at `times`, (T, N, m): the time itself everywhere."""
    return np.broadcast_to(np.asarray(times)[..., None, None], (*np.shape(times), SIZE, LOGISTIC.m))


@pytest.fixture
def programs(monkeypatch):
    """The options and the times of every program and solve; `failing` times have code 1."""
    seen = {"options": [], "times": [], "failing": set()}

    def backsolve_program(model, options):
        seen["options"].append(options)

        def solve(inputs):
            times = inputs[0]
            seen["times"].append(times.tolist())
            failed = times[-1] in seen["failing"]
            counts = [7, 6, 1, int(failed)]
            return (np.ones((3, SIZE)), rows_at(times[-1]), counts), 0.25, 1.0

        return solve

    def adjoint_program(model, options):
        seen["options"].append(options)
        return lambda inputs: ((np.ones((3, SIZE)), rows_at(PASSED_AT), [7, 6, 1, 0]), 0.25, 1.0)

    monkeypatch.setattr(adjoint, "backsolve_program", backsolve_program)
    monkeypatch.setattr(adjoint, "adjoint_program", adjoint_program)
    return seen


def test_there_is_room_for_so_many_checkpoints_and_no_estimate(programs):
    discrete_adjoint(request(estimate=True))
    discrete_adjoint(request(max_steps=10))
    assert [options.max_steps for options in programs["options"]] == [CHECKPOINTED_STEPS, 10]
    assert not any(options.estimate for options in programs["options"])


def test_rows_are_scaled_as_tangents(programs):
    raw, seconds, compiling = discrete_adjoint(request())
    np.testing.assert_array_equal(raw.tangents, rows_at(PASSED_AT) * SCALE)
    assert (raw.steps, raw.accepted, raw.rejected) == (7, 6, 1)
    assert (seconds, compiling) == (0.25, 1.0)


def test_every_time_is_the_last_one_of_a_backward_solve_of_its_own(programs):
    raw, seconds, _ = backsolve_adjoint(request())
    assert programs["times"] == [[1.0, 2.0, 5.0], [1.0, 1.0, 2.0], [1.0, 1.0, 1.0]]
    np.testing.assert_array_equal(raw.tangents, rows_at(PASSED_AT) * SCALE)
    assert seconds == 0.75
    assert status_of(raw) == "ok"
    assert raw.steps == 7


def test_the_first_time_that_fails_ends_it(programs):
    programs["failing"].add(2.0)
    raw, *_ = backsolve_adjoint(request())
    assert len(programs["times"]) == 2
    assert np.isnan(raw.tangents[0]).all()
    assert status_of(raw) == "non_finite"


def test_a_replay_makes_the_recorded_steps_up_to_the_one_that_passes_the_time():
    ends = jnp.array([0.0, 0.25, 0.75, 1.0, jnp.inf])
    replay = adjoint._Replay(ends, 0.5)
    term = diffrax.ODETerm(lambda t, y, p: y)
    first, state = replay.init(term, jnp.asarray(0.0), jnp.asarray(2.0), None, None, None, None, 4)
    assert float(first) == 0.25

    def step(t0, t1, state):
        times = jnp.asarray(t0), jnp.asarray(t1)
        return replay.adapt_step_size(*times, None, None, None, None, 4, state)

    keep, start, end, jump, state, result = step(0.0, 0.25, state)
    assert (bool(keep), float(start), float(end), jump) == (True, 0.25, 0.75, False)
    assert result == diffrax.RESULTS.successful
    _, start, end, _, state, result = step(0.25, 0.75, state)
    assert (float(start), float(end)) == (0.75, 1.0)
    assert result == diffrax.RESULTS.event_occurred
    assert replay.wrap(1) is replay


def test_a_rosenbrock_method_cannot_solve_backwards_and_a_status_says_so():
    result = gradaudit.sensitivities(LOGISTIC, method="backsolve_adjoint", solver="rodas5p")
    assert result.status == "unsuitable_solver"
    assert np.all(np.isnan(result.sensitivities))
