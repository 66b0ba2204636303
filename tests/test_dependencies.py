"""The table of dependencies in CONTRIBUTING.md and pyproject.toml name the same packages."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def required() -> dict[str, str]:
    """Extra by package, empty for the core; references between extras are left out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    names = {
        re.split(r"[\s<>=\[;]", entry)[0]: extra for extra, own in lists.items() for entry in own
    }
    return {name: extra for name, extra in names.items() if name != project["name"]}


def tabulated() -> dict[str, str]:
    """The same from the table."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"## Dependencies\n(.*?)(?=\n## |\Z)", text, re.DOTALL)
    rows = re.findall(r"^\| ([^|]+) \| (?:`(\w+)` )?\| [^|]+ \|$", section, re.MULTILINE)
    return {name: extra for names, extra in rows for name in names.split(", ")}


def test_every_dependency_has_a_purpose_and_its_extra_is_stated():
    assert tabulated() == required()
