"""Errors of gradients and who is to blame for them."""

import numpy as np
import pytest

from gradaudit.evaluation.functionals import Context, EventFunctional, Functional, all_functionals
from gradaudit.evaluation.gradient_error import (
    Observations,
    estimated_change,
    estimated_event_change,
    event_error,
    gradient_error,
    state_error,
)
from gradaudit.evaluation.indicator_columns import of_estimate
from gradaudit.evaluation.occurrences import EventTable


def occurrences(rng, times) -> EventTable:
    """Two events, the second of which happens once; 3 columns, 3 parameters."""
    times = np.array(times, dtype=float)
    seen = np.isfinite(times)
    return EventTable(
        names=("up", "down"),
        times=times,
        slopes=np.where(seen[..., None], rng.normal(size=(*times.shape, 3)), np.nan),
        values=np.where(seen[..., None], rng.normal(size=(*times.shape, 3)), np.nan),
        value_slopes=np.where(seen[..., None, None], rng.normal(size=(*times.shape, 3, 3)), np.nan),
    )


@pytest.fixture
def made_up():
    """Certified and perturbed observations: 20 times, 2 states and 1 integral, 3 parameters."""
    rng = np.random.default_rng(3)
    z, s = rng.normal(size=(20, 3)), rng.normal(size=(20, 3, 3))
    certified = Observations.single(z, s)
    computed = Observations(
        z=z + 1e-3 * rng.normal(size=(2, 20, 3)),
        sensitivities=s + 1e-2 * rng.normal(size=s.shape),
        chunk_of=np.array([0, 1, 1]),
    )
    context = Context(
        times=np.linspace(0.0, 2.0, 20),
        observations=z,
        states=("a", "b"),
        integrals=("a",),
        observables=("b",),
        settings={"noise": 0.05, "seed": 1},
        sensitivities=s,
        occurrences=occurrences(rng, [[0.3, 1.0, 1.5], [0.7, np.nan, np.nan]]),
    )
    return certified, computed, all_functionals(context), context


def of_kind(made_up, kind):
    return [f for f in made_up[2] if isinstance(f, kind)]


def test_state_and_tangent_part_add_up_to_the_error(made_up):
    certified, computed, _, _ = made_up
    for functional in of_kind(made_up, Functional):
        error = gradient_error(functional, computed, certified)
        assert error.residual < 1e-14  # sums of 60 terms in double precision
        phi = np.stack([functional.weights(z) for z in computed.z], axis=-1)[..., [0, 1, 1]]
        np.testing.assert_allclose(
            error.gradient, np.sum(phi * computed.sensitivities, axis=(0, 1)), rtol=1e-10
        )


def test_state_and_observation_part_add_up_to_the_error_of_an_event(made_up):
    exact = made_up[3].occurrences
    # The solve finds a further event, so that its arrays are longer.
    found = occurrences(
        np.random.default_rng(4), [[0.31, 1.02, 1.49, 1.9], [0.71, 1.1, np.nan, np.nan]]
    )
    functionals = of_kind(made_up, EventFunctional)
    assert {f.kind for f in functionals} == {
        *("event_time", "event_value", "event_interval", "event_phase", "event_count"),
    }
    for functional in functionals:
        error = event_error(functional, found, exact)
        assert error.residual < 1e-14  # sums of at most two terms in double precision
        assert np.all(error.tangent_part == 0.0)
        if functional.kind != "event_phase":  # linear in the events: no wrong weights
            assert np.all(error.state_part == 0.0)


def test_a_missing_event_or_a_failed_solve_leaves_no_gradient(made_up):
    exact = made_up[3].occurrences
    found = occurrences(np.random.default_rng(4), [[0.31, np.nan, np.nan], [0.71, np.nan, np.nan]])
    for functional in of_kind(made_up, EventFunctional):
        missing = functional.event == "up" and functional.needed > 1
        assert np.all(np.isnan(event_error(functional, found, exact).gradient)) == missing
        failed = event_error(functional, found, exact, solved=False)
        assert np.all(np.isnan(failed.gradient))
        assert np.isnan(failed.normalised)


def test_a_target_that_stands_for_the_truth_has_no_gradient(made_up):
    """The inverse crime: its residual is all that is left of the gradient, and of the error."""
    from gradaudit.evaluation.functionals.solver_target import same_solve

    certified, computed, _, context = made_up
    data = computed.z[0][:, :2]
    error = gradient_error(same_solve(context, data), computed, certified)
    assert np.all(error.reference == 0.0)
    own_chunk = error.gradient[0]
    assert own_chunk == 0.0  # the parameter whose states are the data
    assert np.all(error.gradient[1:] != 0.0)  # those of another grid
    assert error.residual < 1e-14


def test_gradient_at_an_exact_target_is_zero_and_is_normalised(made_up):
    certified, computed, functionals, _ = made_up
    exact = next(f for f in functionals if f.name == "trace_sse_exact")
    error = gradient_error(exact, computed, certified)
    assert np.all(error.reference == 0.0)
    assert error.is_zero(1e-9)
    assert error.relative == np.inf
    assert 0.0 < error.normalised < 0.1


def test_state_error_is_scaled_by_each_state():
    exact = np.array([[1.0, 100.0], [2.0, 200.0]])
    assert state_error(exact * 1.01, exact) == pytest.approx(0.01 * np.sqrt(2.5 / 4))


def test_the_estimated_error_is_that_of_moved_states_and_tangents():
    """J = z^2 / 2 at z = 2, S = 3, with errors 0.1 and 0.5: (2.1 * 3.5 - 6) / (2.1 * 3.5)."""
    functional = Functional(
        name="square",
        kind="made_up",
        value=lambda z: float(z[0, 0] ** 2 / 2.0),
        weights=lambda z: z,
        natural_weights=np.ones((1, 1)),
    )
    computed = Observations.single(np.array([[2.0]]), np.array([[[3.0]]]))
    errors = (np.array([[0.1]]), np.array([[[0.5]]]))
    seen = of_estimate(*estimated_change(functional, computed, errors))
    np.testing.assert_allclose(seen["estimated_error"], 1.35 / 7.35)
    nothing = (np.full((1, 1), np.nan), np.full((1, 1, 1), np.nan))
    assert np.isnan(
        of_estimate(*estimated_change(functional, computed, nothing))["estimated_error"]
    )
    lost = tuple(np.full_like(error, np.inf) for error in errors)
    seen = of_estimate(*estimated_change(functional, computed, lost))
    assert np.isinf(seen["estimated_error"])
    assert np.isinf(seen["probed_error"])


def test_an_event_s_estimate_is_the_true_error_if_the_perturbed_solve_has_the_true_events(made_up):
    rng = np.random.default_rng(5)
    times = [[0.3, 1.0, 1.5], [0.7, np.nan, np.nan]]
    computed, certified = occurrences(rng, times), occurrences(rng, times)
    for functional in of_kind(made_up, EventFunctional):
        if functional.piecewise_constant:
            continue
        error = event_error(functional, computed, certified)
        seen = of_estimate(*estimated_event_change(functional, computed, certified))
        said, probed = seen["estimated_error"], seen["probed_error"]
        true, size = (np.linalg.norm(part) for part in (error.reference, error.gradient))
        whole = np.linalg.norm(error.difference)
        assert said == pytest.approx(whole / true)
        assert probed <= whole / size * np.sqrt(len(error.gradient)) + 1e-15
        lost = occurrences(rng, np.full((2, 3), np.nan))
        seen = of_estimate(*estimated_event_change(functional, computed, lost))
        assert set(seen.values()) == {np.inf}
