"""One variational solve in double precision, with closed forms, and every way that it can end."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit import Model
from gradaudit.certification.heyoka.precision import DOUBLE
from gradaudit.certification.variational import (
    PROGRESS_AFTER,
    Options,
    Watch,
    build,
    initial_values,
    solve,
)

TIMES = np.array([0.0, 0.5, 2.0])
DECAY = Model(
    name="decay",
    vector_field=lambda t, y, p: -p[0] * y,
    initial_state=lambda p: jnp.stack([p[1] * p[1]]),
    states={"y": (9.0, "1")},
    parameters={"k": (0.7, "1/s"), "root": (3.0, "1"), "unused": (1.0, "1")},
    t_end=2.0,
)


@pytest.fixture(scope="module")
def system():
    return build(DECAY, precision=DOUBLE, tolerance=2.2e-16)


def test_states_integrals_and_sensitivities_have_their_closed_forms(system):
    """Of numbers about 10, to some units of rounding."""
    found = solve(system, TIMES, Options(keep_grid=True))
    y = 9.0 * np.exp(-0.7 * TIMES)
    q = (9.0 - y) / 0.7
    assert found.status == "ok"
    np.testing.assert_allclose(found.values, np.stack([y, q], 1), atol=2e-14)
    by_k = np.stack([-TIMES * y, (TIMES * y - q) / 0.7], axis=1)
    by_root = 6.0 / 9.0 * np.stack([y, q], axis=1)
    np.testing.assert_allclose(found.derivatives[..., 0], by_k, atol=2e-14)
    np.testing.assert_allclose(found.derivatives[..., 1], by_root, atol=2e-14)
    np.testing.assert_array_equal(found.derivatives[..., 2], 0.0)
    assert len(found.step_starts) == len(found.step_sizes) == found.steps


def test_steps_are_capped_and_a_grid_is_kept_on_request(system):
    found = solve(system, TIMES, Options(max_step=0.01, keep_grid=True))
    assert found.steps >= 200
    assert np.max(found.step_sizes) <= 0.01 * (1.0 + 1e-12)
    assert len(solve(system, TIMES, Options()).step_starts) == 0


def test_another_first_step_is_another_grid_of_the_same_solution(system):
    one, other = (solve(system, TIMES, Options(first_step=h)) for h in (None, 0.01))
    np.testing.assert_allclose(one.values, other.values, rtol=1e-14)


def test_a_solve_can_depart_from_a_later_time(system):
    state = system.initial.copy()
    state[:2] = 5.0, 1.0
    found = solve(system, np.array([0.0, 1.0]), Options(departure=(0.5, state)))
    np.testing.assert_array_equal(found.values[0], [9.0, 0.0])
    assert found.values[1, 0] == pytest.approx(5.0 * np.exp(-0.35), rel=1e-14)


def test_observations_at_the_start_alone_need_no_step(system):
    found = solve(system, np.zeros(1), Options())
    assert (found.steps, found.status) == (0, "ok")
    np.testing.assert_array_equal(found.values, [[9.0, 0.0]])
    np.testing.assert_array_equal(found.derivatives[0, 0], [0.0, 6.0, 0.0])


@pytest.mark.parametrize(
    ("options", "status"),
    [(Options(max_steps=2, max_step=0.01), "max_steps"), (Options(time_limit=0.0), "time_limit")],
)
def test_what_was_not_reached_is_nan(system, options, status):
    found = solve(system, TIMES, options)
    assert found.status == status
    assert np.isnan(found.values[-1]).all()
    np.testing.assert_array_equal(found.values[0], [9.0, 0.0])


def test_the_initial_state_is_differentiated_in_the_precision():
    values, derivatives = initial_values(DECAY, DOUBLE)
    np.testing.assert_array_equal(values, [9.0])
    np.testing.assert_array_equal(derivatives, [[0.0, 6.0, 0.0]])


def step_of(watch, time, size):
    return watch(SimpleNamespace(time=time, last_h=size))


def watch_of(**options):
    return Options(**options).watch(10.0, DOUBLE, 1e-16)


def test_a_step_that_makes_no_progress_ends_the_solve():
    watch = watch_of()
    assert step_of(watch, 1.0, 0.5)
    assert not step_of(watch, 1.0, 1e-18)
    assert watch.status == "step_underflow"


def test_tiny_steps_at_the_start_that_grow_are_progress():
    watch = watch_of()
    assert step_of(watch, 1e-18, 1e-18)
    assert step_of(watch, 10.0, 1e-18)  # the last step may be short
    assert watch.status == "ok"


def test_progress_is_told_after_a_while():
    told = []
    watch = Watch(
        10.0,
        deadline=np.inf,
        max_steps=100,
        keep_grid=False,
        progress=lambda fraction, text: told.append((fraction, text)),
        text="double",
    )
    step_of(watch, 1.0, 0.5)
    assert told == []
    watch.next_word -= PROGRESS_AFTER
    step_of(watch, 2.5, 0.5)
    step_of(watch, 3.0, 0.5)
    assert told == [(0.25, "double")]
