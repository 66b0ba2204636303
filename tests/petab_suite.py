"""The cases of the PEtab test suite, which is read where it is, and never copied."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from gradaudit import reference_gradient
from gradaudit.problem import Problem
from gradaudit.problem.simulation import simulate

REPOSITORY = Path(__file__).parents[1]
VARIABLE = "GRADAUDIT_PETAB_SUITE"


@dataclass(frozen=True)
class Case:
    """One case, with its solution and its tolerances."""

    problem: Path
    solution: dict[str, Any]
    simulations: Any

    def __str__(self) -> str:
        return self.problem.parent.name


def suite(version: str) -> Path:
    """The folder of a version, which may not be there."""
    given = os.environ.get(VARIABLE)
    root = Path(given) if given else REPOSITORY.parent / "shared" / "petab" / "suite"
    return root / version


def cases(version: str) -> list[Any]:
    """All cases of a version as parameters of a test, or one that is skipped with the reason."""
    folder = suite(version) / "sbml"
    found = sorted(folder.glob("*/_*_solution.yaml"))
    if not found:
        reason = f"the PEtab test suite is not in {folder}; {VARIABLE} names its folder"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason))]
    return [pytest.param(path, id=path.parent.name) for path in found]


def read(path: Path) -> Case:
    """A case from the file of its solution."""
    import pandas as pd

    solution = yaml.safe_load(path.read_text(encoding="utf-8"))
    tables = [pd.read_csv(path.parent / name, sep="\t") for name in solution["simulation_files"]]
    problem = path.with_name(path.name.replace("_solution", ""))
    return Case(problem, solution, pd.concat(tables)["simulation"].to_numpy(float))


def assert_solved(problem: Problem, case: Case) -> None:
    """Likelihood, chi-square and simulations are those of the suite, within its tolerances."""
    solution = case.solution
    found = simulate(problem)  # once, of what `problem.simulate` and the others take their part
    np.testing.assert_allclose(
        found.by_row("simulated"), case.simulations, rtol=0.0, atol=solution["tol_simulations"]
    )
    chi_square = np.sum(found.by_row("residuals") ** 2)
    assert abs(chi_square - solution["chi2"]) <= solution["tol_chi2"]
    assert abs(found.log_likelihood - solution["llh"]) <= solution["tol_llh"]


STEP = 1e-4


def assert_gradient(problem: Problem, case: Case) -> None:
    """The certified gradient is that of a central difference of the certified value.

    The direction has a part of every parameter, each another one. With steps of 1e-4 of the
    parameters the third derivative leaves an error of 1e-8 or so, and rounding 1e-12 / 1e-4.
    """
    found = reference_gradient(problem)
    assert found.status == "ok"
    assert abs(found.value - case.solution["llh"]) <= case.solution["tol_llh"]
    count = len(problem.parameters)
    direction = np.linspace(1.0, 2.0, count) * np.where(np.arange(count) % 2, -1.0, 1.0)
    step = STEP * direction * np.maximum(np.abs(found.point), 1e-2)
    values = [problem.log_likelihood(found.point + sign * step) for sign in (-1.0, 1.0)]
    parts = found.gradient * step
    assert abs((values[1] - values[0]) / 2.0 - parts.sum()) <= 1e-6 * np.abs(
        found.sizes * step
    ).sum() + 1e-13 * abs(found.value)
