"""Certified references beside enclosures by CAPD: a contradiction is a bug of the first rank."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import gradaudit
from gradaudit import Model
from gradaudit.certification.proof.process import run
from gradaudit.certification.proof.translate import Units, texts
from gradaudit.problem.groups import grouped
from gradaudit.problem.preparing import Preparation

pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(find_spec("capdpy") is None, reason="the extra proof is not installed"),
]
BESIDE = Path(__file__).parents[4] / "shared" / "petab" / "problems"
FOLDER = Path(os.environ.get("GRADAUDIT_PETAB_PROBLEMS") or BESIDE)
SETTINGS = {
    "logistic": (None, 12),
    "lorenz": (5.0, 8),
    "van_der_pol@mu=5": (10.0, 8),
    "van_der_pol@mu=100": (10.0, 8),
    "harmonic_oscillator": (5.0, 9),
    "equilibrium_linear": (1.0, 12),
    "exploding_tangent": (10.0, 13),
    "lotka_volterra_equilibrium": (10.0, 9),
    "parameter_units": (5e-6, 12),
    "limit_cycle": (10.0, 11),
    "dense_output": (10.0, 11),
    "finite_difference_check": (None, 12),
    "negative_control": (None, 8),
    "brusselator": (1.0, 9),
    "robertson": (1.0, 9),
    "spike_count": (10.0, 8),
}
"""The window, and the digits that are proven at least: two or so fewer than were when this was
written, which leaves room for another version of CAPD."""


@pytest.mark.parametrize("spec", SETTINGS)
def test_a_certified_reference_of_the_library_lies_in_its_enclosure(spec):
    t_end, digits = SETTINGS[spec]
    model = gradaudit.load_model(spec)
    times = np.linspace(0.0, t_end or model.t_end, 6)
    reference = gradaudit.reference(model, times, proof=True)
    assert (reference.status, reference.proof.status) == ("ok", "ok")
    assert reference.proof.digits >= digits
    lower, upper = reference.proof.sensitivities_lower, reference.proof.sensitivities_upper
    assert np.all(lower <= upper)


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the problems are not there")
@pytest.mark.parametrize(
    ("name", "digits"),
    [
        ("Zhao_QuantBiol2020", 11),
        ("Perelson_Science1996", 10),
        pytest.param("Crauste_CellSystems2017", 4, marks=pytest.mark.slow),
    ],
)
def test_a_certified_reference_of_a_published_problem_lies_in_its_enclosure(name, digits):
    problem = gradaudit.load_problem(FOLDER / name / f"{name}.yaml")
    preparation = Preparation(problem, problem.parameters.values(None), True)
    prepared = preparation.prepared(grouped(problem)[0], time_limit=100.0)
    reference = gradaudit.reference(
        prepared.translation.model, prepared.times, time_limit=100.0, proof=True
    )
    assert (reference.status, reference.proof.status) == ("ok", "ok")
    assert reference.proof.digits >= digits


def forced() -> Model:
    """A linear model with time and an initial state that depends on the parameters."""
    return Model(
        name="forced",
        vector_field=lambda t, y, p: jnp.stack([-p[0] * y[0] + p[1] * jnp.cos(t)]),
        states={"y": (1.0, "1")},
        parameters={"a": (0.7, "1/s"), "b": (1300.0, "1/s")},
        initial_state=lambda p: jnp.stack([p[0] * p[1] ** 2]),
        t_end=3.0,
    )


def closed_form(t: float, a: object, b: object) -> object:
    """y(t): the initial value minus the particular solution at 0 decays, which is added at t."""

    def particular(s: object) -> object:
        return b * (a * mpmath.cos(s) + mpmath.sin(s)) / (a * a + 1)

    return (a * b**2 - particular(mpmath.mpf(0))) * mpmath.exp(-a * t) + particular(mpmath.mpf(t))


@pytest.mark.parametrize("units", [Units(0, (0,), (0, 0)), Units(2, (20,), (-1, 11))])
def test_enclosures_hold_a_closed_form_in_any_units(units):
    model, times = forced(), np.array([0.0, 1.1, 3.0])
    found = run(
        texts(model, units), model.nominal, times, 1, order=20, longest=3.0, time_limit=60.0
    )
    assert (found.reached, found.ended) == (3, "ok")
    with mpmath.workdps(40):
        p = [mpmath.mpf(float(value)) for value in model.nominal]
        for row, t in enumerate(times):
            exact = closed_form(float(t), *p)
            lower, upper = found.states[:, row, 0]
            assert mpmath.mpf(float(lower)) <= exact <= mpmath.mpf(float(upper))
            for j, order in enumerate([(1, 0), (0, 1)]):
                slope = mpmath.diff(lambda a, b, t=float(t): closed_form(t, a, b), p, order)
                lower, upper = found.sensitivities[:, row, 0, j]
                # differences in 40 digits are right to more than half of them
                assert mpmath.mpf(float(lower)) <= slope <= mpmath.mpf(float(upper))
                assert upper - lower <= 1e-9 * abs(slope)


def test_what_capd_cannot_enclose_is_told_and_the_certificate_stays():
    reference = gradaudit.reference("bouncing_ball", [1.0], proof=True)
    assert reference.status == "ok"
    assert reference.proof.status.startswith("not proven: model 'bouncing_ball': the event ")
    assert float(reference.proof.digits) == 0.0
    assert np.isinf(reference.proof.states_lower).all()


def test_a_solution_that_ends_is_enclosed_until_there():
    # y' = y^2 has a pole at t = 1 / y(0) = 2, which no enclosure passes
    model = Model(
        name="pole",
        vector_field=lambda t, y, p: p[0] * y**2,
        states={"y": (0.5, "1")},
        parameters={"k": (1.0, "1")},
        t_end=3.0,
    )
    times = np.array([1.0, 3.0])
    found = run(texts(model), model.nominal, times, 1, order=20, longest=3.0, time_limit=5.0)
    assert (found.reached, found.ended != "ok") == (1, True)
    assert found.states[0, 0, 0] <= 1.0 <= found.states[1, 0, 0]
    assert np.isinf(found.states[:, 1]).all()
