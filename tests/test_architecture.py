"""The picture of the packages, the contract that is checked, and the packages are the same."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "gradaudit"
DOCUMENT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGES = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


@pytest.fixture(scope="module")
def layers() -> list[str]:
    """Lines of the contract, the highest layer first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (contract,) = [c for c in contracts if c["type"] == "layers"]
    return contract["layers"]


def test_the_picture_shows_the_contract(layers):
    (picture,) = re.findall(r"```text\n(cli.*?)\n```", DOCUMENT, re.DOTALL)
    assert picture.splitlines() == layers


def test_the_contract_names_every_package(layers):
    named = [name for line in layers for name in re.findall(r"\w+", line)]
    assert sorted({*named} - {"errors"}) == PACKAGES


def test_there_are_few_packages_and_nothing_lies_beside_them():
    assert len(PACKAGES) <= 17
    flat = {path.name for path in PACKAGE.glob("*.py")}
    assert flat <= {"__init__.py", "__main__.py", "errors.py"}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_says_in_one_sentence_what_belongs_there(name):
    source = (PACKAGE / name / "__init__.py").read_text(encoding="utf-8")
    sentence = " ".join((ast.get_docstring(ast.parse(source)) or "").split())
    assert sentence.count(". ") == 0
    assert f"| `{name}` | {sentence} |" in DOCUMENT
