"""The imports that are read from the source are those that happen."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gradaudit.records.catalogue import KINDS, catalogue
from gradaudit.records.code_digest import PACKAGE, code_digest, imported_files, stage_names

NO_JAX = ("evaluate", "atlas", "figures", "report", "track")
# Forks share one import of the heavy packages; for the stages that must not import them, none is.
PROBE = """
import importlib, json, os, sys
for name in {heavy}:
    importlib.import_module(name)
for stage in {stages}:
    if os.fork() == 0:
        importlib.import_module("gradaudit.stages." + stage)
        files = {{name: getattr(module, "__file__", None) for name, module in sys.modules.items()}}
        print(json.dumps([stage, files]), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, stage
"""


@pytest.fixture(scope="module")
def modules() -> dict[str, dict[str, str | None]]:
    """For every stage, the files of the modules that a Python has after importing it."""
    light = [stage for stage in stage_names() if stage in NO_JAX]
    found = {}
    for heavy, stages in (
        (["jax", "diffrax", "heyoka", "xarray"], sorted(set(stage_names()) - set(light))),
        (["numpy"], light),
    ):
        code = PROBE.format(heavy=heavy, stages=stages)
        output = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        found.update(json.loads(line) for line in output.splitlines())
    return found


@pytest.fixture(params=stage_names())
def loaded(request, modules) -> tuple[str, dict[str, str | None]]:
    """A stage, and the files of the modules that it has imported."""
    return request.param, modules[request.param]


@pytest.mark.slow
def test_every_imported_module_is_known(loaded):
    stage, modules = loaded
    files = {Path(path) for path in modules.values() if path}
    own = {path for path in files if path.is_relative_to(PACKAGE)}
    assert own <= set(imported_files(f"stages.{stage}"))


@pytest.mark.slow
def test_stages_that_read_tables_import_no_jax(loaded):
    stage, modules = loaded
    if stage in NO_JAX:
        assert "jax" not in modules
        assert "heyoka" not in modules


@pytest.mark.slow
@pytest.mark.parametrize(("package", "stage"), [("mlflow", "track"), ("seaborn", "figures")])
def test_a_heavy_package_belongs_to_one_stage(loaded, package, stage):
    name, modules = loaded
    if name != stage:
        assert package not in modules


@pytest.fixture
def package(tmp_path) -> Path:
    """A package of its own with every kind of import."""
    sources = {
        "__init__.py": (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.typed import f\n"
        ),
        "stages/__init__.py": "",
        "stages/one.py": (
            "from typing import TYPE_CHECKING\nfrom . import two\n"
            "from ..folder import member\nif TYPE_CHECKING:\n    import p.typed\n"
            "def g():\n    import p.inside\n"
        ),
        "stages/two.py": "import json\n",
        "typed.py": "",
        "inside.py": "",
        "unused.py": "",
        "folder/__init__.py": "from p.folder.member import x\n",
        "folder/member.py": "x = 1\n",
        "folder/other.py": "",
    }
    for name, text in sources.items():
        path = tmp_path / "p" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "p"


def test_relative_and_local_imports_are_followed_and_typed_ones_are_not(package):
    found = {str(p.relative_to(package)) for p in imported_files("stages.one", package)}
    assert found == {
        *("__init__.py", "stages/__init__.py", "stages/one.py", "stages/two.py"),
        *("inside.py", "folder/__init__.py", "folder/member.py"),
    }


def folder_of(kind: str) -> Path:
    """Where the modules of a kind of the catalogue lie."""
    return PACKAGE.joinpath(*KINDS[kind].folder.split(".")[1:])


@pytest.mark.parametrize(
    ("stage", "kinds"),
    [
        ("simulate", {"solvers"}),
        ("gradients", {"solvers", "methods"}),
        ("evaluate", {"functionals", "indicators"}),
        *(
            (stage, set())
            for stage in ("reference", "atlas", "trust", "figures", "report", "track")
        ),
    ],
)
def test_a_stage_has_all_members_of_the_folders_that_it_runs(stage, kinds):
    files = set(imported_files(f"stages.{stage}"))
    for kind in KINDS:
        members = set(folder_of(kind).glob("[!_]*.py"))
        assert len(members) > 5
        assert members <= files if kind in kinds else not members & files


def test_modules_of_the_package_import_names_from_where_they_are_defined():
    """The names that the package itself offers are looked up late, which the digest cannot see."""
    for path in PACKAGE.rglob("*.py"):
        if path.parent != PACKAGE / "library":
            for line in path.read_text(encoding="utf-8").splitlines():
                names = re.match(r"\s*from gradaudit import (.*)", line)
                assert names is None or names[1] in ("__version__", "certification"), path


def test_what_a_method_says_of_itself_reaches_stages_that_read_it(monkeypatch):
    """Tables and figures have its label, an indicator asks for its control; references do not."""
    stages = ("simulate", "reference", "evaluate", "figures", "report")
    before = {stage: code_digest(stage) for stage in stages}
    known = {kind: dict(catalogue(kind)) for kind in KINDS}
    known["methods"]["taylor"] = replace(known["methods"]["taylor"], label="another label")
    monkeypatch.setattr("gradaudit.records.catalogue.catalogue", known.__getitem__)
    after = {stage: code_digest(stage) for stage in stages}
    assert {stage for stage in stages if before[stage] != after[stage]} == {
        "evaluate",
        "figures",
        "report",
    }


def test_templates_belong_to_their_package(package):
    for folder in ("folder/templates", "apart/templates"):
        (package / folder).mkdir(parents=True)
        (package / folder / "page.html").write_text("")
    (package / "apart" / "__init__.py").write_text("")
    found = {str(p.relative_to(package)) for p in imported_files("stages.one", package)}
    assert "folder/templates/page.html" in found
    assert "apart/templates/page.html" not in found


def test_the_digest_follows_what_is_imported(package):
    before = code_digest("one", package)
    (package / "unused.py").write_text("y = 2\n")
    assert code_digest("one", package) == before
    (package / "inside.py").write_text("y = 2\n")
    assert code_digest("one", package) != before
