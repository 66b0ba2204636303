"""The work of a solve is counted from its steps."""

from __future__ import annotations

import math

import pytest

from gradaudit.evaluation.work import IMPLICIT, work
from gradaudit.records.catalogue import names


def counted(solver="tsit5", method="forward_ad", steps=10.0, parameters=3):
    return work(base_solver=solver, method=method, steps=steps, parameters=parameters)


def test_an_explicit_step_takes_its_stages_for_states_and_each_tangent():
    assert counted() == 10 * 6 * (1 + 3)
    assert counted("dopri8") == 10 * 12 * (1 + 3)


def test_an_implicit_stage_counts_as_many():
    assert counted("implicit_euler") == 10 * IMPLICIT * (1 + 3)


def test_perturbed_solves_have_counted_their_steps_and_reverse_mode_needs_no_tangents():
    assert counted(method="finite_difference", parameters=50) == 10 * 6
    assert counted(method="discrete_adjoint", parameters=50) == counted(
        method="discrete_adjoint", parameters=5
    )


def test_a_solver_of_its_own_ignores_the_one_of_the_grid():
    assert counted("tsit5", "cvodes") == counted("kvaerno5", "cvodes")


def test_steps_that_are_not_counted_are_no_work():
    assert math.isnan(counted(method="diffsol", steps=math.nan))


@pytest.mark.parametrize("solver", names("solvers"))
def test_every_solver_declares_its_stages(solver):
    from gradaudit.records.catalogue import catalogue

    assert catalogue("solvers")[solver].stages >= 1


@pytest.mark.parametrize("method", names("methods"))
def test_every_method_has_a_work(method):
    assert counted(method=method) > 0
