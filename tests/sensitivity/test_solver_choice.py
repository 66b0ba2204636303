"""The solver "auto" is explicit or implicit, and the result says which and why."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit.errors import SettingError
from gradaudit.sensitivity.solver_choice import EVENTS, JUMPS, suitable_solver
from gradaudit.solvers.registry import get_solver


def relaxation(rate, t_end=10.0, **more):
    """A state that follows a slow cosine; stiff where the rate is large against the window."""
    return gradaudit.Model(
        name="relaxation",
        vector_field=lambda t, y, p: -p * (y - jnp.cos(t)),
        states={"y": (1.0, "1")},
        parameters={"rate": (rate, "1")},
        t_end=t_end,
        **more,
    )


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("rate", "solver"), [(1.0, "tsit5"), (1e4, "rodas5p")])
def test_a_model_with_fast_rates_gets_the_implicit_solver(rate, solver):
    """3.3 is what a step of Tsit5 times the rate may be: 3e4 steps for a rate of 1e4."""
    model = relaxation(rate)
    found = gradaudit.sensitivities(model, solver="auto")
    assert found.solver == solver
    assert found.solver_why.startswith("stiff" if solver == "rodas5p" else "not stiff")
    assert "an explicit solver needs about " in found.solver_why
    assert found.solver_why.endswith(" steps for a relative tolerance of 0.001")
    assert suitable_solver(model).stable_steps == pytest.approx(rate * 10.0 / 3.3, rel=1e-6)
    plain = gradaudit.sensitivities(model, solver=solver)
    np.testing.assert_array_equal(found.sensitivities, plain.sensitivities)
    assert (plain.solver, plain.solver_why) == (solver, "")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ["robertson", "hires", "van_der_pol@mu=1000"])
def test_stiff_models_of_the_library(name):
    assert suitable_solver(gradaudit.load_model(name)).solver == "rodas5p"


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", ["hodgkin_huxley", "lorenz", "bouncing_ball", "drosophila_clock"])
def test_models_of_the_library_that_are_not_stiff(name):
    assert suitable_solver(gradaudit.load_model(name)).solver == "tsit5"


def test_a_solution_that_ends_within_the_window_has_a_reason():
    """y' = y^2 from 1 is infinite at t = 1."""
    model = gradaudit.Model(
        name="explosion",
        vector_field=lambda t, y, p: p * y**2,
        states={"y": (1.0, "1")},
        parameters={"p": (1.0, "1")},
        t_end=2.0,
    )
    assert suitable_solver(model).why in ("a rough solve fails", "a rough solve has no finite rate")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("event", "said"),
    [
        (gradaudit.Event(when=lambda t, y, p: t - 3.0, jump=lambda t, y, p: y + 1.0), JUMPS),
        (gradaudit.Event(when=lambda t, y, p: t - 3.0), EVENTS),
    ],
)
def test_the_reason_says_that_events_are_passed_over(event, said):
    assert suitable_solver(relaxation(1.0, events={"kick": event})).why.endswith(f"; {said}")
    assert "left out" not in suitable_solver(relaxation(1.0)).why


def test_a_method_with_a_solver_of_its_own_refuses_it_by_name():
    with pytest.raises(SettingError, match="method 'taylor' has a solver of its own"):
        gradaudit.sensitivities(relaxation(1.0), solver="auto", method="taylor")


def test_where_nothing_can_be_chosen_the_name_is_refused():
    with pytest.raises(SettingError, match='solver "auto" is for'):
        get_solver("auto")
