"""Perturbed solves: the V-curve of finite differences, and the complex step that has none."""

import warnings
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Model, SettingError
from gradaudit.model.analyticity import obstacle
from gradaudit.sensitivity import perturbation
from gradaudit.sensitivity.perturbation import complex_step, default_fd_step, finite_difference
from gradaudit.sensitivity.request import Request
from gradaudit.sensitivity.solve_status import Raw, status_of
from gradaudit.solvers.options import SolveOptions

LOGISTIC = gradaudit.load_model("logistic")
TIMES = np.array([1.0, 2.0, 5.0])


def _relative(computed, certified):
    """Error over each parameter's largest sensitivity, the worst of all."""
    return np.max(np.abs(computed - certified) / np.max(np.abs(certified), axis=(0, 1)))


def _run(method, **settings):
    settings = {"observe": "interpolant", **settings}
    return gradaudit.sensitivities(LOGISTIC, method=method, times=TIMES, **settings)


@pytest.mark.slow
def test_finite_differences_have_a_v_curve():
    """On equal steps: truncation falls like the square of the step, rounding like its inverse."""
    exact = _run("forward_ad", steps=50).sensitivities

    def error(fd_step):
        run = _run("finite_difference", steps=50, fd_step=fd_step)
        assert run.status == "ok"
        return _relative(run.sensitivities, exact)

    left, best, middle, right = (error(step) for step in (1e-12, 6e-6, 1e-3, 1e-2))
    assert right / middle == pytest.approx(100.0, rel=0.2)  # the next power of the step
    assert best < 1e-9  # about epsilon^(2/3) = 4e-11
    assert left > 1e-6  # about epsilon / step = 2e-4


@pytest.mark.slow
def test_finite_differences_see_the_tolerance_of_an_adaptive_solve():
    """The choice of steps is a function of p that jumps, by an amount of the size of the error."""
    frozen = _run("forward_ad", rtol=1e-3).sensitivities
    adaptive = _run("finite_difference", rtol=1e-3).sensitivities
    equal = _run("finite_difference", steps=50).sensitivities
    assert _relative(adaptive, frozen) > 1e-5
    assert _relative(equal, _run("forward_ad", steps=50).sensitivities) < 1e-9


@pytest.mark.slow
def test_quotients_of_failed_solves_are_no_numbers_and_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = gradaudit.sensitivities(
            "lotka_volterra", method="finite_difference", rtol=1e-9, max_steps=3
        )
    assert found.status == "max_steps"
    assert np.all(np.isnan(found.sensitivities))


@pytest.mark.slow
def test_a_step_that_is_lost_in_rounding_is_no_number():
    run = _run("finite_difference", steps=50, fd_step=1e-18)
    assert run.status == "non_finite"
    assert np.all(np.isnan(run.sensitivities))


@pytest.mark.slow
@pytest.mark.sampled(2)
@pytest.mark.parametrize("solver", ["tsit5", "kvaerno3"])
def test_complex_step_is_forward_ad(solver):
    """Explicit: to rounding. Implicit: up to the root finder, which is differentiated itself."""
    run = {"solver": solver, "rtol": 1e-4}
    ad, step = _run("forward_ad", **run), _run("complex_step", **run)
    assert step.status == "ok"
    assert step.stats["steps"] == 2 * ad.stats["steps"]  # one solve for each of two parameters
    np.testing.assert_allclose(step.states, ad.states, rtol=1e-11)
    limit = 1e-11 if solver == "tsit5" else 1e-4
    assert _relative(step.sensitivities, ad.sensitivities) < limit
    assert _relative(step.integral_sensitivities, ad.integral_sensitivities) < limit


def _model(field, **changes):
    settings = {
        "name": "one",
        "vector_field": field,
        "states": {"u": (1.0, ""), "v": (2.0, "")},
        "parameters": {"a": (1.0, ""), "b": (2.0, "")},
        "t_end": 1.0,
    }
    return Model(**{**settings, **changes})


@pytest.mark.parametrize(
    "field",
    [
        lambda t, y, p: -jnp.abs(y) * p[0],
        lambda t, y, p: -jnp.maximum(y, p[0]),
        lambda t, y, p: jnp.where(y > p[0], -y, y),
        lambda t, y, p: jnp.where(t < p[0], -y, y),
        lambda t, y, p: -jax.nn.relu(y) * p[0],
        lambda t, y, p: -p[0] * jnp.sign(y),
        lambda t, y, p: -p[0] * y / jnp.linalg.norm(y),
        lambda t, y, p: -p[0] * y.astype(float),
        lambda t, y, p: -p[0] * jax.scipy.special.erf(y),
        lambda t, y, p: -p[0] * jnp.sort(y),
        lambda t, y, p: jnp.where(jnp.signbit(y), -y, y) * p[0],
        lambda t, y, p: -jnp.copysign(p[0], y),
    ],
    ids=[
        "abs",
        "max",
        "where_y",
        "where_t",
        "relu",
        "sign",
        "norm",
        "cast",
        "erf",
        "sort",
        "signbit",
        "copysign",
    ],
)
def test_what_is_not_analytic_is_found(field):
    assert obstacle(_model(field))


def test_what_is_analytic_passes():
    def field(t, y, p):
        gate = 1.0 / (1.0 + jnp.exp(-y[0])) + jax.nn.sigmoid(y[1]) + jnp.tanh(p[1]) * y[0] ** 3
        drive = jnp.where(t < 0.5, 1.0, 2.0) + jnp.sqrt(p[0]) + p[0] ** p[1]
        return jnp.stack([gate, drive - jnp.linalg.solve(jnp.eye(2), y)[0]])

    assert obstacle(_model(field)) == ""


def test_an_initial_state_or_an_integrand_that_is_not_analytic_is_found():
    def field(t, y, p):
        return -p[0] * y

    assert obstacle(_model(field, initial_state=lambda p: jnp.abs(p)))
    assert obstacle(_model(field, integrands={"size": lambda t, y, p: jnp.abs(y[0])}))


def test_complex_step_of_what_is_not_analytic_is_a_status():
    kinked = replace(LOGISTIC, vector_field=lambda t, y, p: p[0] * jnp.abs(y) * (1 - y / p[1]))
    result = gradaudit.sensitivities(kinked, method="complex_step", times=TIMES)
    assert result.status == "not_analytic"
    assert np.all(np.isnan(result.sensitivities))


def test_only_finite_differences_have_a_step():
    with pytest.raises(SettingError, match="has no fd_step"):
        _run("forward_ad", fd_step=1e-6)
    with pytest.raises(SettingError, match="positive number"):
        _run("finite_difference", fd_step=-1e-6)


# Below, solves are a closed form: y_i(t, p) = (p_i - 1)^2 + p_0 t, a quadratic, of which a central
# difference has no truncation error.
SOLVED_AT = np.array([0.5, 1.0, 2.0])
P = np.array([4.0, -2.0])
QUADRATIC = Model(
    name="quadratic",
    vector_field=lambda t, y, p: jnp.stack([p[0], p[0]]),
    states={"a": (9.0, "1"), "b": (9.0, "1")},
    parameters={"p": (4.0, "1"), "q": (-2.0, "1")},
    t_end=2.0,
)


def states(times, p):
    return (p - 1.0) ** 2 + p[0] * times[:, None]


def exact():
    """p_j dy_i/dp_j by |p_j|, (T, 2, 2)."""
    by_p = np.zeros((len(SOLVED_AT), 2, 2))
    by_p[:, [0, 1], [0, 1]] = 2.0 * (P - 1.0)
    by_p[:, :, 0] += SOLVED_AT[:, None]
    return by_p * np.abs(P)


@pytest.fixture
def solved(monkeypatch):
    """The parameters of every solve; those in `failing` end with the code of too many steps."""
    calls, failing = [], []

    def program(model, options):
        assert options.estimate is False

        def solve(times, traced, *, control, columns, p):
            p = P if p is None else p.copy()
            result = int(len(calls) in failing)
            calls.append(p)
            y = states(times, p)
            return Raw(y, np.zeros((*y.shape, 1)), 0.5, 10, 8, 2, result), 0.25, 1.0

        return solve

    def complex_program(model, options):
        def solve(times, p, traced):
            calls.append((times, p.copy()))
            return states(times, p), [10, 8, 2, 0], 0.25, 1.0

        return solve

    monkeypatch.setattr(perturbation, "program", program)
    monkeypatch.setattr(perturbation, "complex_program", complex_program)
    calls_and_failing = calls, failing
    return calls_and_failing


def request(times=SOLVED_AT, fd_step=None, dtype="float64"):
    options = SolveOptions(rtol=1e-6, atol=1e-9, dtype=dtype, estimate=True)
    return Request(model=QUADRATIC, times=times, options=options, fd_step=fd_step)


def test_the_default_step_balances_truncation_and_rounding():
    assert default_fd_step() == pytest.approx(6.055e-6, rel=1e-3)
    assert default_fd_step("float32") == pytest.approx(4.92e-3, rel=1e-3)


def test_central_differences_of_a_quadratic_are_exact(solved):
    """But for the rounding of states of size 25, over the step: 25 eps / 0.01 = 6e-13."""
    raw, seconds, compiling = finite_difference(request(fd_step=0.01))
    np.testing.assert_allclose(raw.tangents, exact(), atol=1e-12)
    np.testing.assert_array_equal(raw.states, states(SOLVED_AT, P))
    assert (seconds, compiling) == (5 * 0.25, 1.0)


def test_each_parameter_is_moved_by_its_own_scale_and_alone(solved):
    finite_difference(request(fd_step=0.01))
    moves = [p - P for p in solved[0]]
    expected = [[0, 0], [0.04, 0], [-0.04, 0], [0, 0.02], [0, -0.02]]
    np.testing.assert_allclose(moves, expected, atol=1e-15)


def test_the_step_is_the_one_that_the_precision_can_make(solved):
    """In float32, 4 + 4e-7 is 4 + 4.8e-7; the quotient has that step."""
    raw, *_ = finite_difference(request(fd_step=1e-7, dtype="float32"))
    moves = [p - P for p in solved[0]]
    assert moves[1][0] == np.spacing(np.float32(4.0))
    np.testing.assert_allclose(raw.tangents[..., 0], exact()[..., 0], rtol=1e-6)


def test_a_step_that_is_lost_in_rounding_gives_no_number(solved):
    raw, *_ = finite_difference(request(fd_step=1e-18))
    assert np.isnan(raw.tangents).all()
    assert status_of(raw) == "non_finite"


def test_counts_are_those_of_all_solves_and_the_first_failure_decides(solved):
    solved[1].append(3)
    raw, *_ = finite_difference(request(fd_step=0.01))
    assert (raw.steps, raw.accepted, raw.rejected) == (50, 40, 10)
    assert status_of(raw) == "max_steps"
    assert np.isnan(raw.indicator)


def test_a_complex_step_has_no_cancellation(solved):
    raw, seconds, _ = complex_step(request())
    np.testing.assert_allclose(raw.tangents, exact(), rtol=1e-15)
    np.testing.assert_array_equal(raw.states, states(SOLVED_AT, P))
    assert raw.steps == 20
    assert seconds == 0.5
    assert [p.imag.tolist() for _, p in solved[0]] == [[4e-30, 0.0], [0.0, 2e-30]]


def test_one_observation_is_solved_for_twice_and_returned_once(solved):
    raw, *_ = complex_step(request(times=SOLVED_AT[:1]))
    assert raw.states.shape == (1, 2)
    assert raw.tangents.shape == (1, 2, 2)
    np.testing.assert_allclose(raw.tangents, exact()[:1], rtol=1e-15)
    assert solved[0][0][0].tolist() == [0.5, 0.5]
