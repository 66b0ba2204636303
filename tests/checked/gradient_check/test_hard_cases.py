"""check_gradient where a wrong gradient or a wrong truth could slip through, by closed forms."""

from __future__ import annotations

import functools

import diffrax
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import optimistix as optx
import pytest

import gradaudit
from checked.gradient_check.test_functions import DECAY, P, _compiled_fast, decayed, solved
from gradaudit import check_gradient
from gradaudit.checked.gradient_check.differences import by_differences
from gradaudit.checked.gradient_check.programs import Function
from gradaudit.errors import SettingError

__all__ = ["_compiled_fast"]


@jax.custom_jvp
def euler_elsewhere(rate):
    """(1 - rate / 3)^3 in place of exp(-rate), computed outside of JAX."""
    like = jax.ShapeDtypeStruct((), float)
    euler = lambda rate: np.float64((1.0 - rate / 3.0) ** 3)  # noqa: E731
    return jax.pure_callback(euler, like, rate, vmap_method="sequential")


@euler_elsewhere.defjvp
def _(primals, tangents):
    return euler_elsewhere(*primals), -((1.0 - primals[0] / 3.0) ** 2) * tangents[0]


def test_a_solver_outside_of_jax_does_not_pass():
    found = check_gradient(lambda p: euler_elsewhere(p[0]) + p[1], P)
    assert found.outcome == "inconclusive"
    assert "outside of JAX" in found.reason


@pytest.mark.slow
def test_a_solver_in_a_loop_does_not_pass_next_to_a_solve():
    def function(p):
        euler = jax.lax.scan(lambda y, _: (y - p[0] / 4 * y, None), 1.0, length=4)[0]
        return decayed(p) + euler

    found = check_gradient(function, P)
    assert found.outcome == "inconclusive"
    assert "loop" in found.reason
    summed = lambda p: decayed(p) + jax.lax.fori_loop(0, 3, lambda i, s: s + i * p[0], 0.0)  # noqa: E731
    assert check_gradient(summed, P, DECAY + np.array([3.0, 0.0])).outcome == "passed"


@pytest.mark.slow
def test_a_large_value_does_not_hide_a_wrong_sign():
    """Changes of 1e-7 of a value of 1e10 are lost to rounding, and derivatives are not."""
    function = lambda p: 1e10 + 1e-6 * decayed(p)  # noqa: E731
    assert check_gradient(function, P, -1e-6 * DECAY).outcome == "failed"
    assert check_gradient(function, P, 0.0 * DECAY).outcome == "failed"
    assert check_gradient(function, P, 1e-6 * DECAY).outcome != "failed"


@pytest.mark.slow
def test_what_a_function_reads_may_change_between_two_checks():
    class Loss:
        factor = 1.0

        def __call__(self, p):
            return self.factor * jnp.sum(p**2)

    nested = {"factors": [1.0]}
    loss, data = Loss(), np.ones(1)
    bound = functools.partial(lambda data, p: data[0] * jnp.sum(p**2), data)
    function = lambda p: nested["factors"][0] * jnp.sum(p**2)  # noqa: E731
    for fun in (loss, function, bound):
        assert check_gradient(fun, P, 2.0 * P).outcome == "passed"
    loss.factor = nested["factors"][0] = data[0] = 5.0
    for fun in (loss, function, bound):
        assert check_gradient(fun, P, 2.0 * P).outcome == "failed"
        assert check_gradient(fun, P, 10.0 * P).outcome == "passed"


def test_a_gradient_is_matched_by_names_and_has_to_be_real():
    function = lambda p: p["a"] ** 2 + p["b"]  # noqa: E731
    p = {"a": 1.0, "b": 2.0}
    assert check_gradient(function, p, {"a": 2.0, "b": 1.0}).outcome == "passed"
    with pytest.raises(SettingError, match=r"p\['a'\] of shape"):
        check_gradient(function, p, {"x": 2.0, "y": 1.0})
    for wrong in (np.array([2.0 + 5.0j, 1.0]), np.array(["2", "1"])):
        with pytest.raises(SettingError, match="real numbers"):
            check_gradient(jnp.sum, P, wrong)


def test_functions_that_cannot_be_checked_are_told_why():
    for returned in ((1.0, P), {"loss": 1.0}, None):
        with pytest.raises(SettingError, match="one real number"):
            check_gradient(lambda p, returned=returned: returned, P, P)
    with pytest.raises(
        SettingError, match="p has to be made of real floating-point numbers, not str"
    ):
        check_gradient(lambda p: 1.0, "p")
    with pytest.raises(SettingError, match="no numbers"):
        check_gradient(jnp.sum, jnp.zeros(0))
    for gradient in (None, np.exp(P)):
        found = check_gradient(lambda p: np.sum(np.exp(np.asarray(p))), P, gradient)
        assert found.outcome == "inconclusive"
        assert "NumPy" in found.reason
        assert "unknown" in str(found)
        branching = check_gradient(lambda p: p[0] if p[0] > 1.0 else p[1], P, gradient)
        assert "jax.lax.cond" in branching.reason


def test_an_event_at_the_end_of_a_step_is_not_judged():
    def stopped(p):
        event = diffrax.Event(lambda t, y, args, **_: y[0] < 0.0)
        return solved(lambda t, y, p: -p[:1], p[1:], p, t1=9.0, event=event).ts[-1]

    found = check_gradient(stopped, P, np.array([0.0, 0.0]))
    assert found.outcome == "inconclusive"
    assert "root_finder" in found.reason


@pytest.mark.slow
def test_an_event_may_stop_a_solve_without_end():
    """A falling body hits the ground at sqrt(2 p[1] / p[0])."""
    p = jnp.array([9.81, 2.0])
    exact = np.sqrt(4.0 / 9.81) * np.array([-0.5 / 9.81, 0.25])
    for t1 in (jnp.inf, 1e6):

        def falling_time(p, t1=t1):
            event = diffrax.Event(lambda t, y, args, **_: y[0], optx.Newton(1e-8, 1e-8))
            field = lambda t, y, p: jnp.stack([y[1], -p[0]])  # noqa: E731
            return solved(field, jnp.stack([p[1], 0.0 * p[1]]), p, t1=t1, event=event).ts[-1]

        assert check_gradient(falling_time, p, exact).outcome == "passed"
        assert check_gradient(falling_time, p, exact * [1.0, 1.05]).outcome == "failed"


@pytest.mark.slow
def test_a_state_far_below_every_tolerance_is_resolved():
    """y' = 1e-20 p[0] - 200 p[1] y next to a state of size 1, whose errors alone are seen."""

    def tiny(p, saveat):
        field = lambda t, y, p: jnp.stack([0.0 * y[0], 1e-20 * p[0] - 200.0 * p[1] * y[1]])  # noqa: E731
        return solved(field, jnp.array([1.0, 0.0]), p, t1=0.02, saveat=saveat)

    left = np.exp(-4.0)
    exact = np.array([1.0 - left, 4.0 * left - (1.0 - left)]) / 200.0
    at_end = lambda p: 1e20 * tiny(p, diffrax.SaveAt(t1=True)).ys[-1, 1]  # noqa: E731
    dense = lambda p: 1e20 * tiny(p, diffrax.SaveAt(dense=True)).evaluate(0.02)[1]  # noqa: E731
    for function in (at_end, dense):
        assert check_gradient(function, jnp.ones(2), exact).outcome != "failed"
        assert check_gradient(function, jnp.ones(2), exact * [1.0, 1.1]).outcome != "passed"


@pytest.mark.slow
def test_a_pulse_that_sets_in_from_nothing():
    """y' = p[0] exp(-((t - p[1]) / w)^2), of time or of a state that is a clock."""
    width = 0.01
    pulse = lambda t, p: p[0] * jnp.exp(-(((t - p[1]) / width) ** 2))  # noqa: E731
    of_time = lambda t, y, p: jnp.stack([jnp.ones(()), pulse(t, p)])  # noqa: E731
    of_clock = lambda t, y, p: jnp.stack([jnp.ones(()), pulse(y[0], p)])  # noqa: E731
    p = jnp.array([2.0, 0.45])
    exact = np.array([width * np.sqrt(np.pi), 0.0])
    for field in (of_time, of_clock):
        function = lambda p, field=field: solved(field, jnp.zeros(2), p).ys[-1, 1]  # noqa: E731
        assert check_gradient(function, p, exact).outcome == "passed"
        assert check_gradient(function, p, exact * 0.9).outcome == "failed"


@pytest.mark.slow
def test_a_seed_that_is_fed_and_grows():
    """y' = p[0] y + p[1] s from 0, with s of size 1: p[1] (exp(p[0] t) - 1) / p[0]."""

    def grown(p):
        field = lambda t, y, p: jnp.stack([0.0 * y[0], p[0] * y[1] + p[1] * y[0]])  # noqa: E731
        return solved(field, jnp.array([1.0, 0.0]), p, rtol=1e-3).ys[-1, 1]

    rate, feed = 32.0, 1e-14
    e = np.exp(rate)
    exact = np.array([feed * (e / rate - (e - 1.0) / rate**2), (e - 1.0) / rate])
    p = jnp.array([rate, feed])
    assert check_gradient(grown, p, exact).outcome != "failed"
    assert check_gradient(grown, p, exact * 1.05).outcome != "passed"


def test_random_numbers_of_numpy_are_told():
    random = np.random.default_rng(0)
    found = check_gradient(lambda p: random.random() * p[0] + p[1], P)
    assert found.outcome == "inconclusive"
    assert "random numbers" in found.reason


@jax.custom_vjp
def same_rate(rate):
    """The rate, with a derivative in reverse mode that is 5 % off, and none in forward mode."""
    return rate


same_rate.defvjp(lambda rate: (rate, None), lambda _, cotangent: (1.05 * cotangent,))


@pytest.mark.slow
def test_a_wrong_rule_for_reverse_mode_in_the_vector_field():
    field = lambda t, y, p: -same_rate(p[0]) * y  # noqa: E731
    function = lambda p: solved(field, p[1] * jnp.ones(1), p).ys[-1, 0]  # noqa: E731
    assert check_gradient(function, P).outcome == "failed"
    assert check_gradient(function, P, DECAY).outcome == "passed"


@pytest.mark.slow
def test_derivatives_inside_of_the_function_are_told():
    """A derivative by automatic differentiation of a switch lacks a term; none of it is a truth."""

    def inner(p, of):
        return jax.jacfwd(lambda p: of(p, adjoint=diffrax.ForwardMode()))(p)[0]

    def switched(p, **options):
        field = lambda t, y, p: jnp.where(same_rate(t) < p[0], p[1], 0.0) * jnp.ones(1)  # noqa: E731
        return solved(field, jnp.zeros(1), p, **options).ys[-1, 0]

    def smooth(p, **options):
        return solved(lambda t, y, p: -p[0] * y, p[1] * jnp.ones(1), p, **options).ys[-1, 0]

    for of in (switched, smooth):
        found = check_gradient(lambda p, of=of: inner(p, of), P / 4.0, np.zeros(2))
        assert found.outcome == "inconclusive"
        assert "inside of" in found.reason


def test_a_curved_function_at_its_optimum_is_no_kink():
    function = lambda p: jnp.sum((jnp.exp(-p) - jnp.exp(-P)) ** 2)  # noqa: E731
    curved = by_differences(Function(function, P), P, np.diag(P), stiff=False)
    assert not curved.doubts
    kink = lambda p: jnp.sum(jnp.abs(jnp.exp(-p) - jnp.exp(-P)))  # noqa: E731
    assert "kink" in by_differences(Function(kink, P), P, np.diag(P), stiff=False).doubts[0]
    assert check_gradient(kink, P, np.zeros(2)).outcome == "inconclusive"


def iterated(x, count=60):
    """The logistic map: a change of x grows 2^count times, until it is as large as it can be."""
    for _ in range(count):
        x = 4.0 * x * (1.0 - x)
    return x


def test_saturated_differences_prove_nothing():
    """They agree on a derivative of about 100 with a bar of that size; it is 1e17."""
    chaotic = by_differences(Function(lambda p: iterated(p[0]), P), P / 9.0, np.eye(2), stiff=False)
    assert not chaotic.known
    assert chaotic.unsure
    assert "chaotic" in chaotic.doubts[0]
    far = lambda p: 1e3 + iterated(p[0])  # noqa: E731
    assert not by_differences(Function(far, P), P / 9.0, np.eye(2), stiff=False).known
    # what varies as much and is resolved, and noise that is faint beside the value
    steep = by_differences(
        Function(lambda p: iterated(p[0], 8), P), P / 9.0, np.eye(2), stiff=False
    )
    assert steep.known
    noisy = lambda p: p[0] + 1e-8 * iterated(p[0])  # noqa: E731
    found = by_differences(Function(noisy, P), P / 9.0, np.eye(2), stiff=False)
    np.testing.assert_allclose(found.slopes, [1.0, 0.0], atol=1e-5)
    assert np.all(found.bars < 1e-4)


def test_in_chaos_without_a_solve_no_gradient_is_contradicted():
    function = lambda p: iterated(p[0])  # noqa: E731
    right = jax.grad(function)(P[:1] / 9.0)
    assert check_gradient(function, P[:1] / 9.0, right).outcome == "inconclusive"
    assert check_gradient(function, P[:1] / 9.0, 1.05 * right).outcome != "passed"


@pytest.mark.slow
@pytest.mark.parametrize("count", [20, 40])
def test_in_chaos_tangents_that_are_not_resolved_are_not_replaced_by_differences(count):
    """Errors of the solve grow by as much, from about 40 times on to the size of the values."""
    function = lambda p: iterated(decayed(p), count)  # noqa: E731
    with mpmath.workdps(40):
        x, factor = 3 * mpmath.exp(-2), mpmath.mpf(1)
        for _ in range(count):
            x, factor = 4 * x * (1 - x), 4 * (1 - 2 * x) * factor
        right = DECAY * float(factor)
    assert check_gradient(function, P, right).outcome != "failed"
    assert check_gradient(function, P, 1.05 * right).outcome != "passed"
    assert check_gradient(function, P, 0.0 * right).outcome != "passed"


@pytest.mark.slow
def test_in_chaos_saturated_differences_do_not_contradict_the_tangents():
    """A step of 1e-5 moves the end of a Lorenz trajectory by all that it varies at all."""
    model = gradaudit.load_model("lorenz@t_end=25")
    p, start = jnp.asarray(model.nominal), jnp.ones(3)
    reference = gradaudit.reference(model, times=[25.0])
    assert reference.status == "ok"

    def end(p):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(model.vector_field),
            diffrax.Tsit5(),
            0.0,
            25.0,
            None,
            start,
            args=p,
            stepsize_controller=diffrax.PIDController(rtol=1e-6, atol=1e-9),
            max_steps=20_000,
        ).ys[-1][0]

    right = check_gradient(end, p, reference.sensitivities[0, 0])
    assert right.outcome != "failed"
    wrong = check_gradient(end, p, 2.0 * reference.sensitivities[0, 0])
    assert wrong.outcome != "passed"
