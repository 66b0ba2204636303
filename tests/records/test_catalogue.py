"""A solver, a method, a functional or an indicator is one file, here or in another package."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gradaudit
from gradaudit.analysis.audit_rows import prepared
from gradaudit.errors import SettingError
from gradaudit.evaluation.functionals import Context, all_functionals
from gradaudit.evaluation.indicator_columns import of_estimate
from gradaudit.pipeline.config import check_names, study_of
from gradaudit.pipeline.guide import GUIDES, table, with_tables
from gradaudit.records import labels
from gradaudit.records.catalogue import KINDS, catalogue, declared_text, names
from gradaudit.report.tables import method_table

SOLVER = """
from gradaudit.solvers.solver import Classes, Solver

def classes():
    import diffrax
    return Classes(diffrax.Bosh3)

SOLVER = Solver(
    name="mine", label="my solver", rank=5, description="mine", order=3, classes=classes
)
"""
METHOD = """
from gradaudit.sensitivity.method import Method

def solve(setting):
    from gradaudit.sensitivity.lifted import lifted
    return lifted(setting, tangent_weight=0.0)

METHOD = Method(name="mine", label="my method", rank=15, description="mine", solve=solve)
"""
FAMILY = """
import numpy as np
from gradaudit.evaluation.functional import Functional
from gradaudit.evaluation.functional_family import Family

def functionals(context):
    ones = np.ones_like(context.observations)
    return [
        Functional(
            name="mine_all",
            kind="mine",
            value=lambda z: float(np.sum(z)),
            weights=lambda z: ones,
            natural_weights=ones,
        )
    ]

FAMILY = Family(
    name="mine", label="sum of everything", rank=5, value="sum", purpose="tests",
    functionals=functionals, naming=lambda name: "the sum of everything",
)
"""
INDICATOR = """
from gradaudit.evaluation.indicator import Indicator

INDICATOR = Indicator(
    name="mine", label="my indicator", rank=5, description="the first entry",
    of_estimate=lambda change, gradient: float(change[0]),
)
"""


@pytest.fixture
def fresh():
    """The catalogue is read anew in this test, and in the next one.

    What is built from it once and kept is built before, without what the test brings.
    """
    for name in ("gradaudit.sensitivity.api", "gradaudit.solvers.registry"):
        importlib.import_module(name)
    catalogue.cache_clear()
    yield
    catalogue.cache_clear()


@pytest.fixture
def dropped(tmp_path, monkeypatch, fresh):
    """Puts a file where the folder of a kind is looked through as well."""

    def drop(kind: str, source: str, name: str = "dropped") -> None:
        (tmp_path / f"{name}.py").write_text(source)
        folder = importlib.import_module(KINDS[kind].folder)
        monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
        monkeypatch.delitem(sys.modules, f"{KINDS[kind].folder}.{name}", raising=False)
        importlib.invalidate_caches()

    return drop


@pytest.fixture
def installed(tmp_path, monkeypatch, fresh):
    """Installs a distribution with one module and one entry point."""

    def install(kind: str, source: str, name: str = "plugin") -> None:
        (tmp_path / f"{name}.py").write_text(source)
        facts = tmp_path / f"{name}-1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(
            f"[gradaudit.{kind}]\nmine = {name}:{KINDS[kind].attribute}\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, name, raising=False)

    return install


@pytest.fixture(params=["dropped", "installed"])
def brought(request):
    """Either way to bring something."""
    return request.getfixturevalue(request.param)


@pytest.mark.slow
def test_a_solver_is_one_file(brought):
    brought("solvers", SOLVER)
    assert names("solvers")[0] == "mine"
    check_names(study_of({"solvers": {"mine": {}}}))
    own, known = (
        gradaudit.sensitivities("logistic", solver=solver, rtol=1e-4)
        for solver in ("mine", "bosh3")
    )
    assert own.status == "ok"
    np.testing.assert_allclose(own.sensitivities, known.sensitivities, rtol=1e-10)
    table = pd.DataFrame({"solver": ["mine"], "model": ["m"], "reference_norm": [1.0]})
    assert prepared(table)["stepping"].tolist() == ["explicit"]


def test_a_method_is_one_file(brought):
    brought("methods", METHOD)
    assert names("methods")[:3] == ["forward_ad", "mine", "forward_sensitivity"]
    check_names(study_of({"methods": ["mine"]}))
    own, known = (
        gradaudit.sensitivities("logistic", method=method, rtol=1e-4)
        for method in ("mine", "forward_ad")
    )
    np.testing.assert_array_equal(own.sensitivities, known.sensitivities)
    methods = ["forward_sensitivity", "mine", "unheard_of"]
    table = method_table(pd.DataFrame({"method": methods, "verdict": "good", "zero": False}))
    assert [row[0].text for row in table.rows] == ["my method", "full control", "unheard of"]


def test_a_functional_is_one_file(brought):
    brought("functionals", FAMILY)
    kinds = ["mine", "terminal"]
    check_names(study_of({"functionals": {"kinds": kinds}}))
    context = Context(
        times=np.linspace(0.0, 1.0, 3),
        observations=np.ones((3, 1)),
        states=("y",),
        integrals=(),
        observables=("y",),
        settings={"kinds": kinds, "noise": 0.1, "seed": 1},
    )
    made = {functional.name: functional.kind for functional in all_functionals(context)}
    assert labels.functional_names(made) == {
        "mine_all": "the sum of everything",
        "terminal_y": "y at the end",
    }
    assert labels.kind_name("mine") == "sum of everything"


def test_an_indicator_is_one_file(brought):
    brought("indicators", INDICATOR)
    seen = of_estimate(np.array([3.0, 4.0]), np.array([-2.0, -4.0]))
    assert seen["mine"] == 3.0
    assert seen["estimated_error"] == 5.0  # over the length of (1, 0), where the two lead
    assert labels.indicator_name("mine") == "my indicator"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import no_such_package\n", "'mine' of plugin.*cannot be loaded.*no_such_package"),
        ("METHOD = 1\n", "'mine' of plugin.*is not a Method; declare METHOD"),
        (METHOD.replace('"mine"', '"taylor"', 1), "'mine' of plugin.*both declare 'taylor'"),
    ],
    ids=["broken", "another thing", "clash"],
)
def test_an_entry_point_that_cannot_be_used_is_named(installed, source, words):
    installed("methods", source)
    with pytest.raises(SettingError, match=words):
        names("methods")


def test_a_file_that_declares_nothing_is_named(dropped):
    dropped("methods", "METHDO = 1\n", name="misspelt")
    with pytest.raises(
        SettingError, match=r"METHOD of gradaudit\.sensitivity\.methods\.misspelt is no"
    ):
        names("methods")


def test_names_and_labels_are_read_without_jax():
    code = (
        "import sys\nfrom gradaudit.records.catalogue import KINDS, declared_text\n"
        "for kind in KINDS: assert declared_text(kind)\n"
        "heavy = {'jax', 'diffrax', 'heyoka', 'casadi', 'scipy', 'pandas', 'xarray'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_declaration_reads_the_same_in_every_process():
    """No addresses of functions, by which every process would differ."""
    for kind in KINDS:
        assert " at 0x" not in declared_text(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_every_thing_is_called_like_its_file(kind):
    folder = Path(importlib.import_module(KINDS[kind].folder).__file__ or "").parent
    files = {path.stem for path in folder.glob("[!_]*.py")}
    assert {name for name in names(kind) if name in files} == files


@pytest.mark.parametrize("name", ["config/README.md", *map(str, GUIDES)])
def test_the_tables_of_the_guides_are_those_of_the_declarations(name):
    """`make format` writes them."""
    guide = (Path(__file__).parents[2] / name).read_text(encoding="utf-8")
    assert "<!-- table of" in guide
    assert with_tables(guide) == guide


def test_a_guide_lists_what_another_package_brings(installed):
    installed("methods", METHOD)
    assert "| `mine` | my method | mine |\n" in table("methods")
