"""From a declaration to diffrax's solvers."""

import diffrax
import pytest

from gradaudit.solvers import unrolled_erk
from gradaudit.solvers.registry import SOLVERS, get_solver
from gradaudit.solvers.rosenbrock import Rosenbrock
from gradaudit.solvers.solver import Classes, Solver

TOLERANCES = {"rtol": 1e-4, "atol": 1e-7, "n": 2}


def test_an_explicit_solver_makes_its_grid_by_the_fast_class_and_observes_by_diffraxs():
    grid, observer = get_solver("tsit5").build(**TOLERANCES)
    assert type(grid) is unrolled_erk.Tsit5
    assert type(observer) is diffrax.Tsit5
    slow, observer = get_solver("tsit5").build(**TOLERANCES, fast=False)
    assert slow is observer


@pytest.mark.parametrize("kind", ["lax", "checkpointed"])
def test_stages_are_differentiable_in_the_mode_that_is_asked_for(kind):
    for solver in get_solver("kvaerno3").build(**TOLERANCES, scan_kind=kind):
        assert solver.scan_kind == kind


def test_an_implicit_solver_has_a_root_finder_with_the_given_tolerances():
    grid, observer = get_solver("kvaerno3").build(**TOLERANCES)
    assert grid is observer
    assert (grid.root_finder.rtol, grid.root_finder.atol) == (1e-4, 1e-7)
    assert grid.root_finder.norm.n == 2


def test_a_solver_that_is_no_runge_kutta_method_has_no_loop_over_stages():
    solver = Solver(
        name="plain",
        label="plain",
        rank=1,
        description="",
        order=1,
        classes=lambda: Classes(own=diffrax.Euler),
    )
    (grid, observer), types = solver.build(**TOLERANCES), (solver.cls, solver.fast)
    assert grid is observer
    assert types == (diffrax.Euler, None)


@pytest.mark.parametrize("name", SOLVERS)
def test_a_declaration_agrees_with_diffrax(name):
    """On the order, on whether steps need equations solved, and on an error estimate."""
    solver = get_solver(name)
    assert solver.cls().order(diffrax.ODETerm(lambda t, y, p: y)) == solver.order
    assert issubclass(solver.cls, (diffrax.AbstractImplicitSolver, Rosenbrock)) == solver.implicit
    assert issubclass(solver.cls, diffrax.AbstractAdaptiveSolver) == solver.adaptive
