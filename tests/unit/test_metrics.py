"""Errors, their attribution, and verdicts."""

import numpy as np
import pytest

from gradaudit.functionals import Context, all_functionals
from gradaudit.metrics import Observations, gradient_error, state_error
from gradaudit.verdict import Thresholds, convergence_order, judge_ladder

THRESHOLDS = Thresholds(
    good=1e-2, horrible=0.5, cancellation=1e-9, minimum_order=0.25, floor=1e-11, stalled=1e-4
)
TOLERANCES = [1e-3, 1e-5, 1e-7, 1e-9]


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
    )
    return certified, computed, all_functionals(context)


def test_state_and_tangent_part_add_up_to_the_error(made_up):
    certified, computed, functionals = made_up
    for functional in functionals:
        error = gradient_error(functional, computed, certified)
        assert error.residual < 1e-14  # sums of 60 terms in double precision
        phi = np.stack([functional.weights(z) for z in computed.z], axis=-1)[..., [0, 1, 1]]
        np.testing.assert_allclose(
            error.gradient, np.sum(phi * computed.sensitivities, axis=(0, 1))
        )


def test_weights_are_the_derivative_of_the_value(made_up):
    _certified, computed, functionals = made_up
    z, direction = computed.z[0], np.random.default_rng(5).normal(size=computed.z[0].shape)
    for functional in functionals:
        h = 1e-5  # values are at most quadratic, so that central differences are exact
        central = (functional.value(z + h * direction) - functional.value(z - h * direction)) / (
            2 * h
        )
        assert np.sum(functional.weights(z) * direction) == pytest.approx(central, rel=1e-8)


def test_functionals_are_named_and_cover_the_families(made_up):
    names = [f.name for f in made_up[2]]
    assert names == ["terminal_b", "trace_sse_exact", "trace_sse_noisy", "time_average_a"]


def test_gradient_at_an_exact_target_is_zero_and_is_normalised(made_up):
    certified, computed, functionals = made_up
    exact = next(f for f in functionals if f.name == "trace_sse_exact")
    error = gradient_error(exact, computed, certified)
    assert np.all(error.reference == 0.0)
    assert error.is_zero(1e-9)
    assert error.relative == np.inf
    assert 0.0 < error.normalised < 0.1


def test_state_error_is_scaled_by_each_state():
    exact = np.array([[1.0, 100.0], [2.0, 200.0]])
    assert state_error(exact * 1.01, exact) == pytest.approx(0.01 * np.sqrt(2.5 / 4))


@pytest.mark.parametrize("order", [0.5, 1.0, 2.0])
def test_order_of_a_power_law_is_its_exponent(order):
    errors = [5.0 * t**order for t in TOLERANCES]
    assert convergence_order(TOLERANCES, errors, 0.0) == pytest.approx(order)


@pytest.mark.parametrize(
    ("errors", "cosines", "verdict", "rows"),
    [
        ([1e-3, 1e-5, 1e-7, 1e-9], [1.0] * 4, "good", ["good"] * 4),
        ([30.0, 1e-1, 1e-3, 1e-5], [-0.9, 1, 1, 1], "bad", ["horrible", "bad", "good", "good"]),
        ([1e-2] * 4, [1.0] * 4, "horrible", ["horrible"] * 4),
        ([30.0] * 4, [0.1] * 4, "horrible", ["horrible"] * 4),
        ([1e-9, 1e-12, 1e-12, 1e-12], [1.0] * 4, "good", ["good"] * 4),
        ([1e-3, 1e-5, 1e-7, np.nan], [1.0] * 3 + [np.nan], "bad", ["good"] * 3 + ["horrible"]),
        ([np.inf] * 4, [np.nan] * 4, "horrible", ["horrible"] * 4),
        ([3e-3, 1e-6, 3e-7, 3e-7], [1.0] * 4, "good", ["good"] * 4),
    ],
)
def test_verdicts(errors, cosines, verdict, rows):
    ladder, judged = judge_ladder(TOLERANCES, errors, cosines, THRESHOLDS)
    assert ladder.verdict == verdict
    assert judged == rows


def test_verdict_does_not_depend_on_the_order_of_the_ladder():
    errors, cosines = [30.0, 1e-1, 1e-3, 1e-5], [1.0] * 4
    forwards, _ = judge_ladder(TOLERANCES, errors, cosines, THRESHOLDS)
    backwards, _ = judge_ladder(TOLERANCES[::-1], errors[::-1], cosines, THRESHOLDS)
    assert forwards == backwards
