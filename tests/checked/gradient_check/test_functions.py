"""check_gradient on functions with closed forms: decay, logistic growth, switches, events."""

from __future__ import annotations

import threading

import diffrax
import equinox._jit as equinox_jit
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
import pytest
from diffrax import diffeqsolve

from gradaudit import check_gradient
from gradaudit.errors import SettingError


@pytest.fixture(scope="module", autouse=True)
def _compiled_fast():
    """Programs here are compiled to run once."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


P = jnp.array([2.0, 3.0])
DECAY = np.array([-3.0, 1.0]) * np.exp(-2.0)  # of p[1] exp(-p[0]) at P


def solved(field, y0, p, *, t1=1.0, rtol=1e-5, **options):
    return diffeqsolve(
        diffrax.ODETerm(field),
        diffrax.Tsit5(),
        0.0,
        t1,
        None,
        y0,
        p,
        stepsize_controller=diffrax.PIDController(rtol=rtol, atol=1e-3 * rtol),
        **options,
    )


def _decay(t, y, p):
    return -p[0] * y


def decayed(p):
    return solved(_decay, p[1] * jnp.ones(1), p).ys[-1, 0]


def switched(p):
    """p[1] until the time p[0], then 0: the integral is p[0] p[1]."""
    field = lambda t, y, p: jnp.where(t < p[0], p[1], 0.0) * jnp.ones(1)  # noqa: E731
    return solved(field, jnp.zeros(1), p).ys[-1, 0]


@pytest.mark.slow
def test_a_right_gradient_passes_and_a_wrong_one_is_blamed():
    right = check_gradient(decayed, P)
    assert right.outcome == "passed"
    assert right.disagreement < 1e-3
    wrong = check_gradient(decayed, P, DECAY * [1.0, 1.03])
    # the scaled gradient is (-2, 1) 3 exp(-2), and one part of it is wrong by 3 %
    assert wrong.outcome == "failed"
    assert wrong.disagreement == pytest.approx(0.03 / np.sqrt(5.0), rel=1e-2)
    assert [entry.name for entry in wrong.blame][:1] == ["p[1]"]
    assert wrong.blame[0].expected == pytest.approx(DECAY[1], rel=1e-5)
    assert check_gradient(decayed, P, DECAY * [1.0, 1.003]).outcome == "passed"
    assert check_gradient(decayed, P, DECAY * np.nan).outcome == "failed"
    assert check_gradient(decayed, P, 0.0 * DECAY).outcome == "failed"


@pytest.mark.slow
def test_an_entry_that_is_no_number_is_told_what_it_should_be():
    lost = check_gradient(decayed, P, DECAY * [1.0, np.nan])
    assert lost.outcome == "failed"
    (entry,) = lost.blame
    assert entry.name == "p[1]"
    assert entry.expected == pytest.approx(DECAY[1], rel=1e-5)
    assert entry.error_bar < 1e-3 * abs(DECAY[1])
    assert "should be" in str(lost)


@pytest.mark.slow
def test_every_nesting_is_seen_through():
    jitted = jax.jit(decayed)
    jitted(P)  # a trace without replacement is in the cache
    functions = {
        "jit": jitted,
        "scan": lambda p: jax.lax.scan(lambda c, x: (c + decayed(x * p), None), 0.0, ONES)[0] / 2,
        "vmap": lambda p: jnp.mean(jax.vmap(lambda x: jitted(x * p))(ONES)),
        "checkpoint": jax.checkpoint(jitted),
        "forward": lambda p: solved(
            _decay, p[1] * jnp.ones(1), p, adjoint=diffrax.ForwardMode()
        ).ys[-1, 0],
        "backsolve": lambda p: solved(
            _decay, p[1] * jnp.ones(1), p, adjoint=diffrax.BacksolveAdjoint()
        ).ys[-1, 0],
    }
    for name, function in functions.items():
        assert check_gradient(function, P, DECAY).outcome == "passed", name
        wrong = check_gradient(function, P, DECAY * 1.1)
        assert wrong.outcome == "failed", name
        assert "tangents" in wrong.compared, name
    assert "jacfwd" in check_gradient(functions["forward"], P).compared


ONES = jnp.ones(2)


@pytest.mark.slow
def test_a_neglected_saltation_term_does_not_pass():
    p = jnp.array([0.5, 3.0])
    by_ad = check_gradient(switched, p)  # 0 and 0.5 in place of 3 and 0.5
    assert by_ad.outcome == "failed"
    assert by_ad.blame[0].name == "p[0]"
    assert "saltation" in by_ad.reason
    assert check_gradient(switched, p, np.array([3.0, 0.5])).outcome == "passed"


@pytest.mark.slow
def test_a_switch_at_a_jump_time_that_depends_on_the_parameters():
    def function(p):
        controller = diffrax.ClipStepSizeController(
            diffrax.PIDController(rtol=1e-5, atol=1e-8), jump_ts=p[:1]
        )
        field = lambda t, y, p: jnp.where(t < p[0], p[1], 0.0) * jnp.ones(1)  # noqa: E731
        return diffrax.diffeqsolve(
            diffrax.ODETerm(field), diffrax.Tsit5(), 0.0, 1.0, None, jnp.zeros(1), p,
            stepsize_controller=controller,
        ).ys[-1, 0]  # fmt: skip

    p = jnp.array([0.5, 3.0])
    assert check_gradient(function, p, np.array([0.0, 0.5])).outcome == "failed"
    assert check_gradient(function, p, np.array([3.0, 0.5])).outcome == "passed"


@pytest.mark.slow
def test_events_are_judged_by_differences():
    def falling_time(p):
        event = diffrax.Event(lambda t, y, args, **_: y[0], optx.Newton(1e-8, 1e-8))
        start = jnp.stack([p[1], 0.0 * p[1]])
        field = lambda t, y, p: jnp.stack([y[1], -p[0]])  # noqa: E731
        return solved(field, start, p, t1=10.0, event=event).ts[-1]

    p = jnp.array([9.81, 2.0])
    exact = np.sqrt(4.0 / 9.81) * np.array([-0.5 / 9.81, 0.25])
    found = check_gradient(falling_time, p, exact)
    assert found.outcome == "passed"
    assert "differences" in found.compared
    assert check_gradient(falling_time, p, exact * [1.0, 1.1]).outcome == "failed"


@pytest.mark.slow
def test_a_state_that_grows_from_far_below_atol():
    def grown(p):
        field = lambda t, y, p: p[0] * y * (1.0 - y)  # noqa: E731
        return solved(field, jnp.array([1e-14]), p, t1=33.0, rtol=1e-6).ys[-1, 0]

    p = jnp.ones(1)
    z = 1e-14 * np.exp(33.0)
    exact = np.array([33.0 * z / (1.0 + z) ** 2])
    assert check_gradient(grown, p).outcome == "failed"
    assert check_gradient(grown, p, exact).outcome == "passed"


@pytest.mark.slow
def test_what_cannot_be_proven_is_inconclusive():
    def noisy(p):
        path = diffrax.VirtualBrownianTree(0.0, 1.0, 1e-3, (1,), jax.random.PRNGKey(0))
        terms = diffrax.MultiTerm(
            diffrax.ODETerm(_decay), diffrax.ControlTerm(lambda t, y, p: jnp.ones((1, 1)), path)
        )
        return diffrax.diffeqsolve(terms, diffrax.Heun(), 0.0, 1.0, 0.1, jnp.ones(1), p).ys[-1, 0]

    def own_solver(p):
        return jax.lax.scan(lambda y, _: (y - 0.1 * p[0] * y, None), 1.0, length=10)[0]

    def in_single(p):
        field = lambda t, y, p: (-p[0] * y).astype(jnp.float32)  # noqa: E731
        return solved(field, jnp.ones(1, jnp.float32), p.astype(jnp.float32)).ys[-1, 0]

    assert "ControlTerm" in check_gradient(noisy, P, DECAY).reason
    assert "loop" in check_gradient(own_solver, P).reason
    for function in (noisy, own_solver, in_single):
        assert check_gradient(function, P, DECAY).outcome != "passed"
    unwrapped = lambda p: diffrax.diffeqsolve.__wrapped__(  # noqa: E731
        diffrax.ODETerm(_decay), diffrax.Tsit5(), 0.0, 1.0, 0.1, p[1] * jnp.ones(1), p
    ).ys[-1, 0]
    assert check_gradient(unwrapped, P, DECAY).outcome == "inconclusive"


@pytest.mark.slow
def test_a_rule_that_is_no_derivative_is_found_by_the_values():
    found = check_gradient(lambda p: decayed(jax.lax.stop_gradient(p)), P)
    assert found.outcome == "failed"
    assert found.blame[0].expected == pytest.approx(DECAY[0], rel=1e-5)


def test_without_any_solve_the_program_itself_is_the_truth():
    found = check_gradient(lambda p: jnp.sum(p["a"] ** 3) + p["b"], {"a": P, "b": 1.0})
    assert found.outcome == "passed"
    assert "no solve" in found.compared
    wrong = {"a": np.array([12.0, 20.0]), "b": 1.0}
    blamed = check_gradient(lambda p: jnp.sum(p["a"] ** 3) + p["b"], {"a": P, "b": 1.0}, wrong)
    assert [entry.name for entry in blamed.blame] == ["p['a'][1]"]
    kink = check_gradient(lambda p: jnp.sum(jnp.abs(p - P)), P, np.zeros(2))
    assert kink.outcome == "inconclusive"


def test_many_parameters_are_sampled_and_the_wrong_one_is_found():
    p = jnp.linspace(1.0, 2.0, 100)
    gradient = np.cos(np.asarray(p))
    function = lambda p: jnp.sum(jnp.sin(p))  # noqa: E731
    found = check_gradient(function, p, gradient)
    assert found.outcome == "passed"
    assert 0.99 < found.confidence < 1.0
    gradient[42] += 1.0
    found = check_gradient(function, p, gradient)
    assert found.outcome == "failed"
    assert found.blame[0].name == "p[42]"


def test_gradients_that_are_zero():
    assert check_gradient(lambda p: 0.0 * p[0] + 3.0, P, np.zeros(2)).outcome == "passed"
    assert check_gradient(lambda p: 0.0 * p[0] + 3.0, P, np.ones(2)).outcome == "failed"
    assert check_gradient(lambda p: 1e-9 * jnp.sum(p), P, np.zeros(2)).outcome == "failed"


def test_invalid_arguments_are_named():
    with pytest.raises(SettingError, match="one real number"):
        check_gradient(lambda p: p, P)
    with pytest.raises(SettingError, match="shapes of p"):
        check_gradient(jnp.sum, P, np.zeros(3))
    with pytest.raises(SettingError, match="accuracy"):
        check_gradient(jnp.sum, P, accuracy=2.0)
    with pytest.raises(SettingError, match="p is missing"):
        check_gradient(jnp.sum)


def test_diffrax_is_as_before_after_an_exception_and_in_other_threads():
    before = equinox_jit._call
    elsewhere = []

    def function(p):
        if isinstance(p, jax.core.Tracer) and equinox_jit._call is not before:
            thread = threading.Thread(target=lambda: elsewhere.append(float(decayed(P))))
            thread.start()
            thread.join()
            raise ValueError("in the user's code")
        return decayed(p)

    found = check_gradient(function, P, DECAY)
    assert found.outcome == "inconclusive"
    assert "in the user's code" in found.reason
    assert equinox_jit._call is before
    assert elsewhere[0] == pytest.approx(3.0 * np.exp(-2.0), rel=1e-4)


def test_the_report_fits_a_terminal_and_has_no_truth_value():
    found = check_gradient(lambda p: jnp.sum(p), P, np.array([1.0, 2.0]))
    assert all(len(line) <= 80 for line in str(found).splitlines())
    assert "failed" in repr(found)
    with pytest.raises(TypeError, match="three outcomes"):
        bool(found)
