"""Step controllers: equal steps, errors by a norm of one's own, and what is refused."""

import diffrax
import jax.numpy as jnp
import pytest

import gradaudit.backend.jax_setup  # noqa: F401  # float64
from gradaudit.errors import SettingError
from gradaudit.solvers.options import TracedOptions
from gradaudit.solvers.sciml_controller import SciMLController
from gradaudit.solvers.step_control import EqualSteps, NormController, scalar_controller

TERM = diffrax.ODETerm(lambda t, y, p: y)


def begin(controller, t0=0.0, dt0=0.5):
    t0, t1 = jnp.asarray(t0), jnp.asarray(2.0)
    return controller.init(TERM, t0, t1, jnp.zeros(()), dt0, None, lambda *a: None, 4)


def adapt(controller, t0, t1, error, state):
    t0, t1, zero = jnp.asarray(t0), jnp.asarray(t1), jnp.zeros(())
    return controller.adapt_step_size(t0, t1, zero, zero, None, error, 4, state)


@pytest.fixture
def eight():
    """Eight equal steps of 1/4, whatever the error."""
    options = TracedOptions(rtol=1e-6, atol=1e-9, steps=8.0)
    return scalar_controller("diffrax", order=5, t_end=2.0, options=options)


def test_equal_steps_are_kept_whatever_the_error(eight):
    end, state = begin(eight)
    assert float(end) == 0.25
    keep, start, end, jump, state, result = adapt(eight, 0.0, 0.25, jnp.asarray(1e9), state)
    assert bool(keep)
    assert (float(start), float(end), jump) == (0.25, 0.5, False)
    assert result == diffrax.RESULTS.successful


def test_a_step_that_was_clipped_goes_on_to_the_same_end(eight):
    _, state = begin(eight)
    _, start, end, _, state, _ = adapt(eight, 0.0, 0.1, jnp.asarray(0.0), state)
    assert (float(start), float(end)) == (0.1, 0.25)
    _, _, end, _, _, _ = adapt(eight, 0.1, 0.25, jnp.asarray(0.0), state)
    assert float(end) == 0.5


def test_equal_steps_go_on_where_a_solve_is_taken_up(eight):
    assert float(begin(eight, t0=1.0)[0]) == 1.25
    assert float(begin(eight, t0=1.1)[0]) == 1.25


def test_without_a_number_of_steps_the_error_controls_them():
    options = TracedOptions(rtol=1e-6, atol=1e-9, steps=jnp.asarray(0.0))  # as in a program
    equal = scalar_controller("diffrax", order=5, t_end=2.0, options=options)
    plain = scalar_controller("diffrax", order=5, t_end=2.0)
    for error in (1e-3, 0.5, 2.0, 50.0):
        decisions = []
        for controller in (equal, plain):
            end, state = begin(controller)
            decisions.append(adapt(controller, 0.0, end, jnp.asarray(error), state))
        for place in (0, 1, 2):
            assert float(decisions[0][place]) == float(decisions[1][place])
        assert decisions[0][5] == decisions[1][5]
        assert bool(decisions[0][0]) == (error < 1.0)


def test_no_step_is_longer_than_the_longest():
    controller = scalar_controller("diffrax", order=5, t_end=2.0, longest=0.6)
    end, state = begin(controller)
    _, start, end, *_ = adapt(controller, 0.0, end, jnp.asarray(1e-12), state)
    assert float(end - start) == pytest.approx(0.6)


def test_a_step_that_no_longer_moves_time_ends_the_solve():
    for stepping in ("diffrax", "sciml"):
        controller = scalar_controller(stepping, order=5, t_end=2.0)
        end, state = begin(controller, dt0=1e-19)
        *_, result = adapt(controller, 0.0, end, jnp.asarray(1e6), state)
        assert result == diffrax.RESULTS.dt_min_reached


def test_a_solver_without_error_estimate_needs_a_number_of_steps():
    with_steps = scalar_controller(
        "diffrax", order=1, t_end=2.0, options=TracedOptions(1e-6, 1e-9, 4.0), adaptive=False
    )
    end, state = begin(with_steps)
    keep, _, following, _, _, result = adapt(with_steps, 0.0, end, None, state)
    assert (bool(keep), float(end), float(following)) == (True, 0.5, 1.0)
    assert result == diffrax.RESULTS.successful
    without = scalar_controller("diffrax", order=1, t_end=2.0, adaptive=False)
    *_, result = adapt(without, 0.0, 0.5, None, (jnp.asarray(0.0), None))
    assert result == diffrax.RESULTS.internal_error


def test_the_controller_within_sees_a_scalar_error():
    seen = []

    def scaled(error, before, after):
        seen.append((error, before, after))
        return jnp.max(jnp.abs(error))

    scalar = scalar_controller("diffrax", order=5, t_end=2.0)
    controller = NormController(scalar, scaled)
    y0, y1 = jnp.array([1.0, 2.0]), jnp.array([3.0, 4.0])
    end, state = controller.init(TERM, 0.0, 2.0, y0, 0.5, None, lambda *a: None, 4)
    error = jnp.array([0.25, -0.5])
    decision = controller.adapt_step_size(0.0, end, y0, y1, None, error, 4, state)
    same = adapt(scalar, 0.0, end, jnp.asarray(0.5), begin(scalar)[1])
    assert float(decision[2]) == float(same[2])
    assert seen[0][1] is y0
    assert seen[0][2] is y1


def test_error_control_without_an_error_is_refused():
    controller = NormController(scalar_controller("diffrax", order=1, t_end=2.0), None)
    _, state = begin(controller)
    with pytest.raises(SettingError, match="no error estimate: it takes equal steps only"):
        adapt(controller, 0.0, 0.5, None, state)


def test_the_rules_of_sciml_are_a_controller_of_their_own():
    controller = scalar_controller("sciml", order=5, t_end=2.0)
    assert isinstance(controller, SciMLController)
    options = TracedOptions(1e-6, 1e-9, 3.0)
    equal = scalar_controller("sciml", order=5, t_end=3.0, options=options)
    assert isinstance(equal, EqualSteps)
    assert float(begin(equal)[0]) == 1.0


def test_controllers_are_wrapped_for_a_direction_without_change(eight):
    assert eight.wrap(1) is eight
    assert NormController(eight, None).wrap(1) == NormController(eight, None)
