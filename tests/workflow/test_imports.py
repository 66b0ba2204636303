"""The imports that are read from the source are those that happen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_every_imported_module_is_known(loaded):
    stage, modules = loaded
    files = {Path(path) for path in modules.values() if path}
    own = {path for path in files if path.is_relative_to(PACKAGE)}
    assert own <= set(imported_files(f"stages.{stage}"))


def test_stages_that_read_tables_import_no_jax(loaded):
    stage, modules = loaded
    if stage in NO_JAX:
        assert "jax" not in modules
        assert "heyoka" not in modules


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
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.lazy import f\n"
        ),
        "stages/__init__.py": "",
        "stages/one.py": (
            "from typing import TYPE_CHECKING\nfrom p import f\nfrom . import two\n"
            "from ..folder import member\nif TYPE_CHECKING:\n    import p.typed\n"
            "def g():\n    import p.inside\n"
        ),
        "stages/two.py": "import json\n",
        "lazy.py": "",
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


def test_lazy_relative_and_local_imports_are_followed(package):
    found = {str(p.relative_to(package)) for p in imported_files("stages.one", package)}
    assert found == {
        *("__init__.py", "stages/__init__.py", "stages/one.py", "stages/two.py"),
        *("lazy.py", "inside.py", "folder/__init__.py", "folder/member.py"),
    }


def test_members_found_by_folder_are_all_imported(package):
    (package / "folder" / "__init__.py").write_text("import pkgutil\n")
    found = {p.name for p in imported_files("stages.one", package)}
    assert {"member.py", "other.py"} <= found


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
