"""One element: Newton's method is believed where the equations hold, and not before."""

import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit import Model
from gradaudit.certification.collocation import element
from gradaudit.certification.collocation.element import System, Tools, solve_states
from gradaudit.certification.collocation.problem import Compiler
from gradaudit.certification.collocation.radau import radau
from gradaudit.certification.collocation.scales import Scales
from gradaudit.certification.heyoka.precision import DOUBLE, LONG_DOUBLE, to_float64


@pytest.fixture(scope="module")
def compiler():
    return Compiler(
        Model(
            name="stiff",
            vector_field=lambda t, y, p: jnp.stack([-p[0] * y[0] ** 2, -1e4 * (y[1] - y[0])]),
            states={"y": (1.0, ""), "w": (0.5, "")},
            parameters={"k": (2.0, "")},
            t_end=1.0,
        )
    )


def solved(compiler, precision):
    """The first element of length 0.1, with y = 1 / (1 + k t)."""
    problem = compiler.problem(precision)
    tools = Tools(
        method=radau(12, precision),
        rough=problem.rough,
        fine=problem.fine,
        witness=problem.witness,
        parameters=precision.array(problem.model.nominal),
        columns=np.array([0]),
    )
    y = precision.array(np.zeros(problem.fine.size))
    y[:2] = problem.values
    length = precision.number(0.1)
    scales = Scales(to_float64(y), np.zeros((len(y), 1)), problem.model.parameter_scale)
    zero = precision.array(np.zeros((12, 2)))
    return solve_states(tools, precision.number(0.0), length, y, zero, scales)


@pytest.mark.parametrize("precision", [DOUBLE, LONG_DOUBLE], ids=lambda p: p.name)
def test_an_element_that_is_solved_is_accepted(compiler, precision):
    found = solved(compiler, precision)
    assert found is not None
    assert float(found.values[-1, 0]) == pytest.approx(1.0 / 1.2 - 1.0, rel=1e-12)


@pytest.mark.parametrize("precision", [DOUBLE, LONG_DOUBLE], ids=lambda p: p.name)
@pytest.mark.parametrize("after", [0, 1, 2])
def test_small_corrections_alone_are_no_convergence(compiler, precision, after, monkeypatch):
    """A matrix far from the true one makes corrections of any residual small."""
    true, calls = System.correct, []

    def far(self, residual):
        calls.append(None)
        return true(self, residual) * (1.0 if len(calls) <= after else 1e-25)

    monkeypatch.setattr(System, "correct", far)
    assert solved(compiler, precision) is None


def test_corrections_that_stagnate_are_no_convergence(compiler, monkeypatch):
    """Of 1e-7, to and fro, which without a look at the residual would be taken for noise."""
    true, calls = System.correct, []

    def unsteady(self, residual):
        calls.append(None)
        return true(self, residual) + (-1.0) ** len(calls) * 1e-7

    monkeypatch.setattr(System, "correct", unsteady)
    monkeypatch.setattr(element, "SLOW", 0.0)  # the matrix is always taken for a new one
    assert solved(compiler, LONG_DOUBLE) is None
