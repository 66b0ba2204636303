"""The solvers by name, and the axes beside the tolerance: steps, root finder, controller, dtype."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params

import gradaudit
from gradaudit import Model, SettingError
from gradaudit.backend.jax_setup import precision
from gradaudit.sensitivity.programs import program
from gradaudit.solvers.error_norm import Control
from gradaudit.solvers.options import StaticOptions, TracedOptions
from gradaudit.solvers.registry import SOLVERS, get_solver

LOGISTIC = gradaudit.load_model("logistic")
TIMES = np.linspace(1.0, 5.0, 5)


def _run(**settings):
    defaults = {"times": TIMES, "rtol": 1e-5, "observe": "interpolant"}
    return gradaudit.sensitivities(LOGISTIC, **{**defaults, **settings})


@pytest.fixture(scope="module")
def exact():
    def closed_form(t):
        return jax.jacfwd(lambda p: LOGISTIC.exact_solution(t, p))(jnp.asarray(LOGISTIC.nominal))

    return np.stack([np.asarray(closed_form(t)) for t in TIMES])


@pytest.mark.sampled(5)
@pytest.mark.parametrize("solver", ["heun", "ralston", "dopri5", "kvaerno3", "kvaerno5"])
def test_half_the_step_divides_the_error_by_two_to_the_order(solver, exact):
    """The others are in test_theorems.py, with a fit."""
    errors = [np.linalg.norm(_run(solver=solver, steps=n).sensitivities - exact) for n in (80, 160)]
    # Within a tenth of an order: what the next order still contributes.
    assert np.log2(errors[0] / errors[1]) == pytest.approx(get_solver(solver).order, abs=0.1)


def test_equal_steps_need_no_other_compilation_and_no_tolerance():
    adaptive = _run()
    equal = [_run(steps=n, rtol=rtol) for n in (10, 37) for rtol in (1e-3, 1e-9)]
    assert all(run.stats["compile_seconds"] == 0 for run in equal)
    assert [run.stats["steps"] for run in equal] == [10, 10, 37, 37]
    assert all(run.stats["rejected"] == 0 for run in equal)
    np.testing.assert_array_equal(equal[0].sensitivities, equal[1].sensitivities)
    assert adaptive.stats["steps"] != 10


@pytest.mark.slow
def test_clipped_equal_steps_end_at_observations_and_go_on():
    """With observations between the ends of steps: those steps are split in two."""
    between = [0.3, 1.1, 5.0]
    run = _run(steps=10, observe="clip", times=between)
    assert run.stats["steps"] == 12
    aligned = _run(steps=10, observe="clip", times=[0.5, 1.0, 5.0])
    assert aligned.stats["steps"] == 10


def test_a_solver_without_an_error_estimate_takes_equal_steps_only():
    with pytest.raises(SettingError, match="steps=1000"):
        _run(solver="euler")
    run = _run(solver="euler", steps=50)
    assert run.status == "ok"
    assert np.isnan(run.indicator)


@pytest.mark.slow
def test_tangents_follow_the_tolerance_of_the_root_finder():
    """At one grid, the iteration for the stage is all that differs."""
    settings = {"solver": "implicit_euler", "steps": 40, "rtol": 1e-4}
    best = _run(**settings, root_tolerance=1e-6)
    errors = []
    for root_tolerance in (1e3, 10.0, 0.1):
        run = _run(**settings, root_tolerance=root_tolerance)
        assert run.stats["compile_seconds"] == 0
        errors.append(np.max(np.abs(run.sensitivities - best.sensitivities)))
    # Each takes one or two iterations more than the one before.
    assert errors[0] > 10 * errors[1] > 100 * errors[2]


@pytest.mark.slow
def test_a_tight_root_finder_costs_no_rejected_steps():
    """Diffrax 0.7.2 rejects a step of its ESDIRK methods unless the second iteration is good."""
    tight, loose = (
        _run(solver="kvaerno5", rtol=1e-7, root_tolerance=factor) for factor in (1.0, 1e3)
    )
    assert loose.stats["rejected"] == tight.stats["rejected"] == 0
    assert tight.stats["steps"] <= loose.stats["steps"]


@pytest.mark.slow
def test_a_root_that_is_not_found_in_equal_steps_is_a_status():
    run = _run(solver="kvaerno3", steps=5, rtol=1e-12)
    assert run.status == "root_not_found"
    assert np.all(np.isnan(run.sensitivities))


def test_coefficients_of_the_controller_change_the_grid_and_not_the_limit(exact):
    integral = _run(rtol=1e-7)
    for pid in ((0.4, 0.3, 0.0), (0.2, 0.3, 0.1)):
        other = _run(rtol=1e-7, pid=pid)
        assert other.stats["compile_seconds"] == 0
        assert other.stats["steps"] != integral.stats["steps"]
        np.testing.assert_allclose(other.sensitivities, exact, rtol=1e-4)
    np.testing.assert_array_equal(
        _run(rtol=1e-7, pid=(0.0, 1.0, 0.0)).sensitivities, integral.sensitivities
    )


# A constant of double precision, as a module of a model may have one, and the oscillator of the
# catalogue: the sensitivity to w grows with time.
COUPLING = np.array([[0.0, 1.0], [-1.0, 0.0]])
OSCILLATOR = Model(
    name="oscillator",
    vector_field=lambda t, y, p: p[0] * jnp.asarray(COUPLING) @ y + 0.0 * jnp.linspace(0.0, t, 2),
    states={"x": (1.0, ""), "v": (0.0, "")},
    parameters={"w": (2.0, "1/s")},
    t_end=20.0,
)


@pytest.mark.slow
def test_single_precision_has_a_floor():
    """x = cos(w t), so dx/dw = -t sin(w t); epsilon is 1.2e-7, times t and some steps."""
    times = np.array([10.0, 20.0])
    closed_form = -times * np.sin(2.0 * times)

    def error(dtype, rtol):
        run = gradaudit.sensitivities(
            OSCILLATOR, dtype=dtype, rtol=rtol, times=times, observe="interpolant"
        )
        assert run.status == "ok"
        assert run.sensitivities.dtype == np.float64
        return np.max(np.abs(run.sensitivities[:, 0, 0] - closed_form)) / 20.0

    assert error("float64", 1e-9) < 1e-6
    assert error("float32", 1e-4) < 1e-2
    assert 1e-7 < error("float32", 1e-6) < 1e-3
    assert error("float32", 1e-7) > 1e-7


def test_single_precision_is_single_throughout():
    """No number of 64 bits anywhere in the program: time, tableaus and counters included."""
    solve = program(OSCILLATOR, StaticOptions(solver="tsit5"))
    control = Control(0.0, 0.0, 1.0, np.ones(1))
    with precision("float32"):
        inputs = jax.tree_util.tree_map(
            lambda x: jnp.asarray(x, dtype=jnp.float32),
            (
                np.array([1.0, 2.0]),
                np.array([2.0]),
                np.ones((1, 1)),
                TracedOptions(1e-3, 1e-6),
                control,
            ),
        )
        types = set(_types(jax.make_jaxpr(solve._solve)(*inputs).jaxpr))
    assert {str(t) for t in types if str(t).endswith("64")} == set()
    assert jnp.zeros(()).dtype == jnp.float64  # and the session is as it was


def _types(jaxpr):
    for equation in jaxpr.eqns:
        for variable in equation.outvars:
            if hasattr(variable.aval, "dtype"):
                yield variable.aval.dtype
        for inner in jaxprs_in_params(equation.params):
            yield from _types(inner)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"steps": 0}, "positive number of equal steps"),
        ({"steps": 2.5}, "positive number of equal steps"),
        ({"dtype": "float16"}, "choose from float64"),
        ({"root_tolerance": 0.0}, "positive number"),
        ({"pid": (1.0, 0.0)}, "three numbers"),
        ({"method": "taylor", "dtype": "float32"}, "has no dtype"),
    ],
)
def test_axes_are_checked(setting, words):
    with pytest.raises(SettingError, match=words):
        _run(**setting)


def test_every_solver_is_named_after_its_class():
    for name, solver in SOLVERS.items():
        assert solver.cls.__name__.lower() == name.replace("_", "")
        assert solver.fast is None or issubclass(solver.fast, solver.cls)
