"""`dtmax`: no step is longer, by any method that takes steps of its own choice."""

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Model, SettingError
from gradaudit.solvers.controller import Start
from gradaudit.solvers.sciml_controller import SciMLController

PULSE = Model(
    name="late_pulse",
    vector_field=lambda t, y, p: p[0] * jnp.exp(-(((t - 60.0) / 0.5) ** 2)) - p[1] * y,
    states={"y": (0.0, "")},
    parameters={"k": (1.0, ""), "d": (0.1, "")},
    t_end=100.0,
)
"""A state that rests at 0 until a short pulse at t = 60."""

METHODS = [
    "forward_ad",
    "forward_sensitivity",
    "dual_norm",
    "finite_difference",
    pytest.param("discrete_adjoint", marks=pytest.mark.slow),
    pytest.param("backsolve_adjoint", marks=pytest.mark.slow),
]


def solved(method="forward_ad", solver="tsit5", **options):
    return gradaudit.sensitivities(PULSE, method=method, solver=solver, times=[100.0], **options)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("method", METHODS)
def test_no_method_leaps_over_a_pulse_with_steps_shorter_than_it(method):
    """dy/dk = int exp(-d (T - t)) pulse(t) dt; at rtol 1e-6 errors are 1e-5 at most."""
    t = np.linspace(50.0, 70.0, 20_001)
    pulse = np.exp(-(((t - 60.0) / 0.5) ** 2))
    exact = np.trapezoid(np.exp(-0.1 * (100.0 - t)) * pulse, t)  # spectrally accurate
    found = solved(method, dtmax=0.4)
    assert found.status == "ok"
    assert found.stats["accepted"] >= 250
    assert found.sensitivities[0, 0, 0] == pytest.approx(exact, rel=1e-4)
    if method == "forward_ad":
        assert abs(solved(method).sensitivities[0, 0, 0]) < 1e-6 * exact


def test_the_controller_of_sciml_knows_it():
    controller = SciMLController(5, 1e-16, 0.1)
    start = Start(None, 0.0, 1.0, jnp.zeros(1), 1.0, None, None, 5)
    assert float(controller.begin(start)[0]) == pytest.approx(0.1)


@pytest.mark.slow
def test_an_implicit_solver_knows_it():
    assert solved(solver="rodas5p", dtmax=0.4).stats["accepted"] >= 250


@pytest.mark.parametrize("method", ["taylor", "cvodes", "diffsol"])
def test_a_method_with_a_solver_of_its_own_has_none(method):
    with pytest.raises(SettingError, match=f"method '{method}' has no dtmax; leave it out"):
        solved(method, dtmax=1.0)
