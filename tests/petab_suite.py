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


STEP = 1e-4


def assert_solved(problem: Problem, case: Case) -> None:
    """Likelihood, chi-square and simulations are those of the suite, and the gradient is certified.

    It is that of a central difference of the certified value. The direction has a part of every
    parameter, each another one. With steps of 1e-4 of the parameters the third derivative leaves
    an error of 1e-8 or so, and rounding 1e-12 / 1e-4.
    """
    found, solution = reference_gradient(problem), case.solution
    assert found.status == "ok"
    assert abs(found.value - solution["llh"]) <= solution["tol_llh"]
    tolerance = solution["tol_simulations"]
    np.testing.assert_allclose(found.simulated, case.simulations, rtol=0.0, atol=tolerance)
    assert abs(np.sum(found.residuals**2) - solution["chi2"]) <= solution["tol_chi2"]
    count = len(problem.parameters)
    direction = np.linspace(1.0, 2.0, count) * np.where(np.arange(count) % 2, -1.0, 1.0)
    step = STEP * direction * np.maximum(np.abs(found.point), 1e-2)
    values = [problem.log_likelihood(found.point + sign * step) for sign in (-1.0, 1.0)]
    parts = found.gradient * step
    assert abs((values[1] - values[0]) / 2.0 - parts.sum()) <= 1e-6 * np.abs(
        found.sizes * step
    ).sum() + 1e-13 * abs(found.value)
