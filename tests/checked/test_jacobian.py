"""Checked Jacobians against closed forms: values, errors, estimates, warnings, transformations."""

from __future__ import annotations

from functools import cache

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit.checked import checked_jacfwd
from gradaudit.checked.nondifferentiable import DerivativeError
from gradaudit.errors import SettingError

TIMES = np.linspace(0.0, 5.0, 6)
P = {"rate": 1.0, "capacity": jnp.asarray([10.0])}


def _logistic(t, y, p):
    return {"size": p["rate"] * y["size"] * (1.0 - y["size"] / p["capacity"][0])}


def _start(p):
    return {"size": 0.05 * p["capacity"][0]}


def _exact_logistic(p):
    start, capacity = _start(p)["size"], p["capacity"][0]
    return capacity / (1.0 + (capacity / start - 1.0) * jnp.exp(-p["rate"] * jnp.asarray(TIMES)))


@pytest.fixture(scope="module", autouse=True)
def _compiled_fast():
    """Programs here are compiled to run once."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@cache
def logistic(propagate=True):
    """Sizes over time, with y0 a function of p, and pytrees everywhere."""
    return checked_jacfwd(
        lambda ys: ys["size"],
        _logistic,
        y0=_start,
        ts=TIMES,
        solver="tsit5" if propagate else "bosh3",
        propagate=propagate,
    )


def _last(ys):
    return ys[-1, 0]


@cache
def standing_still(name, control):
    """Cases 3a and 4: y0 is the steady state, which the solver integrates exactly."""
    field = {
        "equilibrium": lambda t, y, p: p - 2.0 * y,
        "exploding": lambda t, y, p: 10.0 * (p - y),
    }
    start, end = {"equilibrium": (0.5, 1.0), "exploding": (1.0, 10.0)}[name]
    return checked_jacfwd(_last, field[name], y0=jnp.asarray([start]), ts=[end], control=control)(
        1.0
    )


EXACT = {"equilibrium": (1.0 - np.exp(-2.0)) / 2.0, "exploding": 1.0 - np.exp(-100.0)}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("propagate", [True, False])
def test_logistic_to_what_the_tolerance_allows(propagate):
    """1e-5 is ten times rtol: errors of a handful of steps."""
    result, exact = logistic(propagate)(P), jax.jacfwd(_exact_logistic)(P)
    assert jax.tree.structure(result.jacobian) == jax.tree.structure(exact)
    np.testing.assert_allclose(result.value, _exact_logistic(P), rtol=1e-5)
    for name, true in exact.items():
        assert result.jacobian[name].shape == result.error[name].shape == true.shape
        np.testing.assert_allclose(result.jacobian[name], true, rtol=1e-5, atol=1e-8)
    assert not bool(result.warnings.any)
    assert result.warnings.messages() == []
    assert 10 < int(result.stats.accepted) <= int(result.stats.steps) < 500


@pytest.mark.slow
def test_estimate_covers_the_true_error_and_is_no_wild_guess():
    """Of a smooth problem within a factor of two, and the truth within the interval.

    At 1e-6 the steps are a handful, so that the error has no order yet.
    """
    result, exact = logistic()(P), jax.jacfwd(_exact_logistic)(P)
    scaled = {name: np.abs(exact[name] - result.jacobian[name]) for name in exact}
    true = np.sqrt(np.sum(scaled["rate"] ** 2) + np.sum((10.0 * scaled["capacity"]) ** 2))
    size = np.sqrt(np.sum(exact["rate"] ** 2) + np.sum((10.0 * exact["capacity"]) ** 2))
    assert 0.5 * true / size < float(result.raw_relative_error) < 2.0 * true / size
    assert float(result.interval[0]) <= true / size <= float(result.interval[1])
    errors = [result.error["rate"].ravel(), 10.0 * result.error["capacity"].ravel()]
    assert np.linalg.norm(np.concatenate(errors)) / size == pytest.approx(
        float(result.raw_relative_error), rel=1e-3
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", EXACT)
def test_tangents_of_a_state_that_stands_still(name):
    """Full control is right to ten times rtol; control by the states is not, and is told of."""
    full, states = standing_still(name, "full"), standing_still(name, "states")
    assert abs(float(full.jacobian) - EXACT[name]) < 1e-5
    assert full.warnings.messages() == []
    wrong = abs(float(states.jacobian) - EXACT[name])
    assert wrong > 4e-3
    assert float(states.error) > wrong / 3.0
    assert bool(states.warnings.uncontrolled)
    assert any("not controlled" in text for text in states.warnings.messages())


@pytest.mark.slow
def test_an_explosion_saturates_the_estimate():
    warned = standing_still("exploding", "states").warnings
    assert bool(warned.saturated)
    assert "no digit" in warned.messages()[-1]


@pytest.mark.slow
def test_stiff_and_slow_with_an_implicit_solver():
    """Prothero and Robinson, S = -t sin(p t); 1e-4 is ten times rtol."""

    def field(t, y, p):
        return -1e3 * (y - jnp.cos(p * t)) - p * jnp.sin(p * t)

    run = checked_jacfwd(
        _last, field, y0=jnp.asarray([1.0]), ts=[1.5], solver="kvaerno5", rtol=1e-5
    )
    result = run(1.3)
    true = abs(float(result.jacobian) + 1.5 * np.sin(1.3 * 1.5))
    assert true < 1e-4
    assert float(result.error) > true / 3.0
    assert result.warnings.messages() == []


@pytest.mark.slow
def test_jit_vmap_and_scan_change_nothing():
    """To 1e-9: the order of operations, and what a change of rounding makes of the steps."""
    run = logistic(False)
    batch = {"rate": jnp.asarray([0.8, 1.2]), "capacity": jnp.asarray([[10.0], [12.0]])}
    single = [run(jax.tree.map(lambda x, i=i: x[i], batch)) for i in range(2)]
    expected = jax.tree.map(lambda *x: np.stack(x), *single)
    mapped = jax.jit(jax.vmap(run))(batch)
    _, scanned = jax.lax.scan(lambda carry, p: (carry, run(p)), 0, batch)
    for result in (mapped, scanned):
        got = (result.value, result.jacobian, result.error)
        want = (expected.value, expected.jacobian, expected.error)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-14), got, want
        )
        assert not np.any(result.warnings.any)


def test_gradient_descent_inside_of_a_scan():
    """Towards the rate that the data were made with, from half of it."""
    data = _exact_logistic({**P, "rate": 1.0})
    run = checked_jacfwd(
        lambda ys: jnp.mean((ys["size"] - data) ** 2),
        _logistic,
        y0=_start,
        ts=TIMES,
        solver="bosh3",
        propagate=False,
    )

    def step(rate, _):
        result = run({**P, "rate": rate})
        return rate - 0.02 * result.jacobian["rate"], result.value

    rate, values = jax.jit(lambda rate: jax.lax.scan(step, rate, None, length=30))(0.5)
    assert abs(float(rate) - 1.0) < 1e-3
    assert values[-1] < 1e-5 * values[0]


def test_no_second_derivative():
    run = logistic(False)
    with pytest.raises(DerivativeError, match="cannot be differentiated"):
        jax.grad(lambda rate: run({**P, "rate": rate}).value[-1])(1.0)
    with pytest.raises(DerivativeError, match="cannot be differentiated"):
        jax.jacfwd(lambda rate: run({**P, "rate": rate}).jacobian["rate"])(1.0)


SWITCHES = {
    "jump": (lambda t, y, p: jnp.where(y < p, 1.0, 2.0), True),
    "jump in time": (lambda t, y, p: jnp.where(t < p, 1.0, 0.0) * jnp.ones_like(y), True),
    "kink": (lambda t, y, p: 1.0 + p * jnp.maximum(y - 1.0, 0.0), False),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", SWITCHES)
def test_a_jump_of_the_vector_field_is_told_and_a_kink_is_not(name):
    """The derivatives are -1, 1, and smooth; without its saltation term the first two are 0."""
    field, jumps = SWITCHES[name]
    result = checked_jacfwd(_last, field, y0=jnp.asarray([0.0]), ts=[2.0], solver="bosh3")(1.0)
    assert bool(result.warnings.switched) == jumps
    # what else there is to say of an estimate would advise what does not help
    assert not jumps or not any("tighten" in text.lower() for text in result.warnings.messages())
    assert bool(result.warnings.any) == jumps
    if jumps:
        assert float(result.jacobian) == 0.0
        assert abs(float(result.error) - 1.0) < 1e-2  # the saltation term, by a straight line
        assert "saltation" in result.warnings.messages()[0]
    else:
        # y = 1 + (e^{p (t - 1)} - 1)/p for t > 1
        assert abs(float(result.jacobian) - 1.0) < 1e-4  # d/dp (e^p - 1)/p = 1 at p = 1


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["kvaerno5", "kvaerno4"])
def test_no_stage_lies_behind_the_jump_in_front_of_which_a_step_ends(solver):
    """y' = p [t < 1] - 3 y, with stages at 1.23 and 1.15 of a step.

    Whether the solve is observed at the jump or not: y(t) = p (1 - e^-3t)/3 up to it, and decays.
    In its own steps the method has order 5 or 4, and two half steps the error of one divided by 32
    or 16; with a stage behind the jump the order was 1, and the estimate half of the error.
    """
    times = np.array([1.0, 1.5, 2.0])
    run = checked_jacfwd(
        lambda ys: ys[:, 0],
        lambda t, y, p: jnp.where(t < 1.0, p, 0.0) - 3.0 * y,
        y0=jnp.zeros(1),
        ts=times,
        jump_ts=[1.0],
        rtol=1e-5,
        solver=solver,
    )
    result = run(2.0)
    exact = (1.0 - np.exp(-3.0)) / 3.0 * np.exp(-3.0 * (times - 1.0))
    wrong = np.asarray(result.jacobian) - exact
    assert np.max(np.abs(wrong)) < 1e-5
    np.testing.assert_allclose(np.abs(result.error), np.abs(wrong), rtol=0.15)


@pytest.mark.slow
def test_a_jump_at_a_fixed_time_is_hit_and_not_told():
    """y = p min(t, 1): the grid ends a step there."""
    run = checked_jacfwd(
        _last,
        lambda t, y, p: jnp.where(t < 1.0, p, 0.0) * jnp.ones_like(y),
        y0=jnp.asarray([0.0]),
        ts=[2.0],
        jump_ts=[1.0],
    )
    result = run(3.0)
    assert abs(float(result.jacobian) - 1.0) < 1e-9  # exact but for the leap of t across 1
    assert result.warnings.messages() == []


def test_a_solve_that_ends_early_is_nan_and_told():
    run = checked_jacfwd(_last, lambda t, y, p: p - 2.0 * y, y0=jnp.ones(1), ts=[9.0], max_steps=4)
    result = run(3.0)
    assert np.isnan(result.value)
    assert np.isnan(result.jacobian)
    [sentence] = result.warnings.messages()
    assert "max_steps" in sentence


@pytest.mark.slow
def test_an_overflow_is_told():
    run = checked_jacfwd(
        lambda ys: jnp.exp(1e4 * ys[-1, 0]), lambda t, y, p: -p * y, y0=jnp.ones(1), ts=[0.1]
    )
    assert bool(run(1.0).warnings.not_finite)


def test_at_an_optimum_the_gradient_cancels_and_that_is_what_is_told():
    data = _exact_logistic(P) * (1.0 + 0.01 * np.array([0.0, 1.0, -1.0, 2.0, -1.0, 0.3]))
    run = checked_jacfwd(
        lambda ys: jnp.sum((ys["size"] - data) ** 2),
        lambda t, y, rate: _logistic(t, y, {**P, "rate": rate}),
        y0=_start(P),
        ts=TIMES,
        solver="bosh3",
    )
    fitted = 1.0
    for _ in range(5):  # secant steps to the root of the derivative
        low, high = (float(run(fitted + h).jacobian) for h in (-1e-4, 1e-4))
        fitted -= (low + high) / (high - low) * 1e-4
    warned = run(fitted).warnings
    assert bool(warned.cancelled)
    assert not bool(warned.inaccurate | warned.saturated)
    assert not bool(run(1.1).warnings.any)


@pytest.mark.slow
def test_messages_of_a_batch_and_while_tracing():
    explode = checked_jacfwd(
        _last,
        lambda t, y, p: 10.0 * (p - y),
        y0=jnp.ones(1),
        ts=[10.0],
        solver="bosh3",
        control="states",
    )
    told = jax.vmap(explode)(jnp.asarray([1.0, 1.5])).warnings.messages()
    assert told[0].startswith("1 of 2: The tangents are not controlled")
    with pytest.raises(TypeError, match="return the warnings"):
        jax.jit(lambda p: explode(p).warnings.messages())(1.0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ts": [2.0, 1.0]}, "not decreasing"),
        ({"ts": [0.0]}, "after t0"),
        # with the solver "auto" the look at the stiffness would not come to an end
        ({"ts": [1.0, np.inf], "solver": "auto"}, "finite times"),
        ({"ts": [np.nan, 1.0]}, "finite times"),
        ({"t0": np.nan}, "finite times"),
        ({"control": "both"}, "unknown control"),
        ({"rtol": 0.0}, "rtol"),
        ({"solver": "euler"}, "estimates no error"),
        ({"solver": "tsit6"}, "unknown solver"),
        ({"solver": diffrax.Euler()}, "cannot be lifted"),
        ({"solver": diffrax.KenCarp4()}, "several terms"),
    ],
)
def test_settings_that_make_no_sense(settings, words):
    with pytest.raises(SettingError, match=words):
        checked_jacfwd(_last, _logistic, **{"y0": jnp.ones(1), "ts": [1.0], **settings})


def test_what_is_no_float_is_refused():
    run = checked_jacfwd(_last, lambda t, y, p: p * y, y0=jnp.ones(1), ts=[1.0])
    with pytest.raises(SettingError, match="p has to be made of real"):
        run(1)
    with pytest.raises(SettingError, match="p has no numbers"):
        run(jnp.zeros(0))
    wrong = checked_jacfwd(_last, lambda t, y, p: p * jnp.ones(2), y0=jnp.ones(1), ts=[1.0])
    with pytest.raises(SettingError, match="structure and shapes of y0"):
        wrong(1.0)


def test_exported():
    assert gradaudit.checked_jacfwd is checked_jacfwd


@pytest.mark.slow
def test_a_declared_jump_at_the_end_is_behind_all_stages():
    """y' = p y (1 + cos t) up to t = 4. With a stage behind it steps shrink in front of it."""
    found = gradaudit.checked_jacfwd(
        lambda ys: ys[-1, 0],
        lambda t, y, p: p * y * jnp.where(t < 4.0, 1.0 + jnp.cos(t), 50.0),
        y0=jnp.ones(1),
        ts=[4.0],
        jump_ts=[4.0],
        rtol=1e-5,
    )(0.3)
    moved = 4.0 + np.sin(4.0)
    exact = moved * np.exp(0.3 * moved)
    assert abs(float(found.jacobian) / exact - 1.0) < 1e-5
    assert int(found.stats.steps) < 40


@pytest.mark.slow
@pytest.mark.parametrize(
    "above",
    [
        lambda y: jnp.sign(y - 1.5) > 0,
        lambda y: jnp.round(y) >= 2.0,
        lambda y: jnp.sign(y - 1.5) - 0.1 * y > 0,
    ],
)
def test_a_comparison_of_what_another_switch_returns_is_seen(above):
    """y' = p up to y = 1.5, then p / 2: y(2) = 0.75 + p, while the tangents lack a term of 1/4."""

    def field(t, y, p):
        return jnp.where(above(y), 0.5, 1.0) * p

    found = checked_jacfwd(_last, field, y0=jnp.ones(1), ts=[2.0])(1.2)
    assert bool(found.warnings.switched)
    assert float(found.interval[0]) <= abs(float(found.jacobian) - 1.0) <= float(found.interval[1])
