"""Audits of published problems, which lie beside the repository where they are there at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from gradaudit.cli.main import main

BESIDE = Path(__file__).parents[3] / "shared" / "petab" / "problems"
FOLDER = Path(os.environ.get("GRADAUDIT_PETAB_PROBLEMS") or BESIDE)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no published problems in {FOLDER}"),
]


def audit(name, capsys, *options):
    assert main(["audit", str(FOLDER / name / f"{name}.yaml"), "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_forward_ad_is_wrong_at_an_optimum_where_terms_cancel(capsys):
    found = audit("Crauste_CellSystems2017", capsys, "--solvers", "tsit5")
    # certified to ten digits, and confirmed by a tool of its own
    assert np.linalg.norm(found["reference"]["gradient"]) == pytest.approx(149.5132622, rel=1e-9)
    assert found["answer"] == "wrong"
    assert np.linalg.norm(found["today"]["gradient"]) == pytest.approx(35707.0, rel=1e-3)
    assert found["today"]["parameter"] == "mu_P"
    assert found["sound_from"] <= 1e-10
    assert found["today"]["error"] == pytest.approx(240.0, rel=0.01)


def test_the_suitable_solver_of_a_stiff_problem_is_implicit(capsys):
    found = audit("Boehm_JProteomeRes2014", capsys, "--methods", "forward_ad")
    assert found["today"]["solver"] == "rodas5p"
    assert found["answer"] == "right"
    assert "tsit5 forward_ad at 1e-3, 1e-4, 1e-6 (max_steps)" in found["card"]["fails"]
