"""Solves by collocation, with closed forms."""

import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit import Model
from gradaudit.certification.collocation import look
from gradaudit.certification.collocation.march import march
from gradaudit.certification.collocation.problem import Compiler
from gradaudit.certification.collocation.scales import Expected
from gradaudit.certification.heyoka.precision import DOUBLE, LONG_DOUBLE, QUAD, to_float64
from gradaudit.certification.variational import Options

FAST = 1e6


def prothero_robinson(t_end=2.0):
    """y = cos t + d exp(-lambda t), a transient of 1e-6 and then a slow solution."""
    return Model(
        name="prothero_robinson",
        vector_field=lambda t, y, p: -p[0] * (y - jnp.cos(t)) - jnp.sin(t),
        initial_state=lambda p: jnp.stack([1.0 + p[1]]),
        states={"y": (1.5, "")},
        parameters={"lambda": (FAST, ""), "d": (0.5, "")},
        t_end=t_end,
    )


@pytest.fixture(scope="module")
def stiff():
    return Compiler(prothero_robinson())


@pytest.mark.parametrize("points", [10, 16])
def test_a_stiff_problem_has_its_closed_form_between_elements(stiff, points):
    """Observed anywhere: a tail of 1e-16 and a solution of size 1."""
    times = np.concatenate([[0.0], np.geomspace(1e-8, 2.0, 40)])
    found = march(stiff.problem(LONG_DOUBLE), times, Options(), points=points, tolerance=1e-16)
    assert found.status == "ok"
    assert found.steps < 100  # an explicit method needs 200,000
    t = times.astype(np.longdouble)
    gone = np.exp(-np.longdouble(FAST) * t)
    error = np.abs(to_float64(found.values[:, 0] - np.cos(t) - gone / 2))
    assert error.max() < 1e-15
    by_fast = np.abs(to_float64(found.derivatives[:, 0, 0] + t / 2 * gone))
    assert by_fast.max() < 1e-15 * 0.2 / FAST  # of its largest value d / (e lambda)
    assert np.abs(to_float64(found.derivatives[:, 0, 1] - gone)).max() < 1e-15


def test_columns_are_the_same_alone(stiff):
    """The elements differ, so to the tolerance."""
    times = np.array([1e-6, 2.0])
    every, one = (
        march(
            stiff.problem(LONG_DOUBLE), times, Options(),
            points=12, tolerance=1e-16, columns=columns,
        )
        for columns in (None, [1])
    )  # fmt: skip
    assert np.isnan(to_float64(one.derivatives[:, 0, 0])).all()
    np.testing.assert_allclose(
        to_float64(one.derivatives[..., 1] - every.derivatives[..., 1]), 0.0, atol=1e-15
    )
    states = march(stiff.problem(DOUBLE), times, Options(), points=8, tolerance=1e-8, columns=())
    assert np.isnan(states.derivatives).all()
    np.testing.assert_allclose(states.values[:, 0], to_float64(every.values[:, 0]), atol=1e-8)


def test_quad_precision_has_more_digits(stiff):
    """At t = 1 all that is left is cos 1, whose digits long double shows to its rounding."""
    found = march(
        stiff.problem(QUAD), np.array([1.0]), Options(), points=16, tolerance=1e-21, columns=()
    )
    exact = np.cos(np.longdouble(1.0))
    remainder = found.values[0, 0] - QUAD.number(float(exact))
    assert abs(float(remainder) - float(exact - np.longdouble(float(exact)))) < 1e-19


def chain(length=14):
    return Model(
        name="chain",
        vector_field=lambda t, y, p: jnp.concatenate([-p[:1] * y[:1], p[:1] * (y[:-1] - y[1:])]),
        states={f"y{i}": (float(i == 0), "") for i in range(length)},
        parameters={"k": (1.0, "")},
        t_end=5.0,
    )


def test_states_that_begin_at_zero_do_not_steer():
    """The last state begins as t^13 / 13!, its size at the start of the window is 1e-60."""
    problem = Compiler(chain()).problem(LONG_DOUBLE)
    times = np.array([5.0])
    scout = march(problem, times, Options(), points=8, tolerance=1e-5, columns=())
    found = march(
        problem, times, Options(), points=10, tolerance=1e-15,
        expected=Expected(np.abs(to_float64(scout.values[0]))),
    )  # fmt: skip
    assert found.status == "ok"
    assert found.steps < 150  # judged by themselves, they never grow from 1e-20 of the window
    j = np.arange(14)
    factorials = np.cumprod(np.maximum(j, 1).astype(float))
    np.testing.assert_allclose(
        to_float64(found.values[0, :14]), 5.0**j / factorials * np.exp(-5.0), rtol=1e-13
    )


def test_rounding_of_the_rates_does_not_steer():
    """The formula cancels to 1e-13 of its terms in long double, at which no element is smooth."""
    model = Model(
        name="cancelling",
        vector_field=lambda t, y, p: -p[0] * ((1e6 + y) - 1e6) * jnp.cos(t),
        states={"y": (1.0, "")},
        parameters={"k": (1.0, "")},
        t_end=10.0,
    )
    found = march(
        Compiler(model).problem(LONG_DOUBLE), np.array([10.0]), Options(),
        points=12, tolerance=1e-16,
    )  # fmt: skip
    assert found.status == "ok"
    assert found.steps < 60
    assert float(found.values[0, 0]) == pytest.approx(np.exp(-np.sin(10.0)), rel=1e-11)


def test_a_solve_that_ends_early_says_why(stiff):
    problem, times = stiff.problem(DOUBLE), np.array([0.0, 2.0])
    late = march(problem, times, Options(time_limit=0.0), points=8, tolerance=1e-8)
    assert late.status == "time_limit"
    assert np.isfinite(late.values[0]).all()
    assert np.isnan(late.values[1]).all()
    few = march(problem, times, Options(max_steps=2), points=8, tolerance=1e-8)
    assert few.status == "max_steps"
    start = march(problem, np.array([0.0]), Options(), points=8, tolerance=1e-8)
    assert (start.status, start.steps) == ("ok", 0)


def test_a_solution_that_ends_is_a_status():
    """y = 1 / (1 - t)."""
    model = Model(
        name="blow_up",
        vector_field=lambda t, y, p: p * y**2,
        states={"y": (1.0, "")},
        parameters={"k": (1.0, "")},
        t_end=2.0,
    )
    found = march(
        Compiler(model).problem(DOUBLE), np.array([0.5, 2.0]),
        Options(max_steps=3000), points=8, tolerance=1e-10,
    )  # fmt: skip
    assert found.status != "ok"
    assert found.values[0, 0] == pytest.approx(2.0, rel=1e-9)


def test_a_narrow_pulse_between_the_points_is_seen():
    """An element of length 10 with 8 points has gaps that are a thousand times as wide."""
    model = Model(
        name="pulse",
        vector_field=lambda t, y, p: p * jnp.exp(-(((t - 50.03) / 0.01) ** 2)),
        states={"y": (0.0, "")},
        parameters={"k": (1.0, "")},
        t_end=100.0,
    )
    problem, times = Compiler(model).problem(LONG_DOUBLE), np.array([100.0])
    blind = march(problem, times, Options(), points=16, tolerance=1e-15)
    assert blind.status == "ok"
    seen = march(problem, times, Options(), points=16, tolerance=1e-15, look=True)
    assert seen.status == "jumped_over"
    assert "pulse" in seen.reason


@pytest.mark.parametrize("batch", [look.BATCH, 50], ids=["at_once", "in_parts"])
def test_a_look_at_a_smooth_stiff_solution_finds_nothing(stiff, batch, monkeypatch):
    """Jacobians of many points do not fit into memory at once."""
    monkeypatch.setattr(look, "BATCH", batch)
    found = march(
        stiff.problem(LONG_DOUBLE),
        np.array([2.0]),
        Options(),
        points=16,
        tolerance=1e-15,
        look=True,
    )
    assert found.status == "ok"


def test_a_pulse_that_shows_in_the_sensitivities_alone_is_seen():
    """Its amplitude is a parameter that is 0, so the states do not know of it."""
    model = Model(
        name="silent_pulse",
        vector_field=lambda t, y, p: jnp.stack(
            [-1e4 * (y[0] - 1.0), -y[1] + p[0] * jnp.exp(-(((t - 0.86) / 3e-4) ** 2))]
        ),
        states={"fast": (0.5, ""), "slow": (1.0, "")},
        parameters={"amplitude": (0.0, "")},
        t_end=1.0,
    )
    found = march(
        Compiler(model).problem(LONG_DOUBLE),
        np.array([0.37, 1.0]),
        Options(),
        points=16,
        tolerance=1e-15,
        look=True,
    )
    assert found.status == "jumped_over"


def test_rounding_of_a_sensitivity_times_a_fast_rate_is_not_taken_for_a_pulse():
    """The state b is the square of a but for rounding, which is all that depends on q."""
    model = Model(
        name="rounding",
        vector_field=lambda t, y, p: jnp.stack(
            [
                -p[1] * y[0],
                -2.0 * p[1] * y[1],
                -1e6 * (y[2] - y[0] - p[0] * (y[0] * y[0] - y[1])),
            ]
        ),
        states={"a": (1.0, ""), "b": (1.0, ""), "fast": (1.0, "")},
        parameters={"q": (1.0, ""), "k": (0.7, "")},
        t_end=1.0,
    )
    found = march(
        Compiler(model).problem(LONG_DOUBLE),
        np.array([1.0]),
        Options(),
        points=16,
        tolerance=1e-15,
        expected=Expected(np.ones(4), np.array([1e-12, 1.0])),
        look=True,
    )
    assert found.status == "ok"


def test_a_transient_of_one_panel_is_not_taken_for_a_pulse():
    """Four nodes do not integrate it as well as the element does."""
    model = Model(
        name="transient",
        vector_field=lambda t, y, p: -1e4 * (y - p),
        states={"y": (0.5, "")},
        parameters={"level": (1.0, "")},
        t_end=1.0,
    )
    found = march(
        Compiler(model).problem(LONG_DOUBLE),
        np.array([1.0]),
        Options(),
        points=16,
        tolerance=1e-15,
        look=True,
    )
    assert found.status == "ok"
