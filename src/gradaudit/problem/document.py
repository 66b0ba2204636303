"""Certified gradients of a problem as a JSON document; docs/certified.md describes its fields."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from gradaudit.errors import DamagedResultError
from gradaudit.problem.certified import ReferenceGradient
from gradaudit.problem.definition import Problem

SCHEMA = "gradaudit certified gradients 1"
PACKAGES = ("gradaudit", "heyoka", "petab", "python-libsbml", "numpy")


def document(problem: Problem, results: Mapping[str, ReferenceGradient | str], seed: int) -> Any:
    """What is written: numbers, lists and mappings; a number that is not finite is None.

    Parameters
    ----------
    results
        By the names of their points, from `gradaudit.problem.points`; the reason where there is no
        result.
    seed
        Of the points that were drawn.
    """
    found = {
        "schema": SCHEMA,
        # many problems are called problem.yaml, and their folders tell them apart
        "problem": problem.path.parent.name if problem.name == "problem" else problem.name,
        "files": digests(problem.path),
        "versions": _versions(),
        "objective": "log-likelihood, without priors",
        "parameters": list(problem.parameters.names),
        "scales": list(problem.parameters.scales),
        "seed": seed,
        "points": {name: _point(result) for name, result in results.items()},
    }
    return _finite(found)


def _point(result: ReferenceGradient | str) -> dict[str, Any]:
    if isinstance(result, str):
        return {"status": f"refused: {result}"}
    names = result.parameters
    return {
        "status": result.status,
        "least_digits": float(result.digits),
        "point": _named(names, result.point),
        "values": _named(names, result.point_values),
        "log_likelihood": result.value,
        "log_likelihood_bound": result.value_bound,
        "gradient": _named(names, result.gradient),
        "bounds": _named(names, result.bounds),
        "digits": _named(names, result.digits.per_entry),
        "by_condition": {
            name: {"log_likelihood": value, "gradient": _named(names, gradient)}
            for name, (value, gradient) in result.by_condition.items()
        },
    }


def _named(names: Sequence[str], values: Any) -> dict[str, float]:
    return dict(zip(names, np.asarray(values, dtype=np.float64).tolist(), strict=True))


def write(path: Path, content: Any) -> None:
    """Write a document; equal content gives equal files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
    temporary.replace(path)


def read(path: Path) -> Any:
    """Read a document.

    Raises
    ------
    DamagedResultError
        If the file is no such document.
    """
    try:
        content = json.loads(path.read_text())
        known = content["schema"] == SCHEMA
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise DamagedResultError(
            f"{path} is no document of certified gradients ({SCHEMA!r}); remove it, or name "
            "another file."
        )
    return content


def digests(path: Path) -> dict[str, str]:
    """SHA-256 of a problem's YAML file and of all files that it names."""
    named = {path.name, *_files(yaml.safe_load(path.read_text()), path.parent)}
    return {
        name: hashlib.sha256((path.parent / name).read_bytes()).hexdigest()
        for name in sorted(named)
    }


def _files(content: Any, folder: Path) -> Iterator[str]:
    """Every text in a YAML file that is the name of a file beside it."""
    if isinstance(content, str):
        if content and (folder / content).is_file():
            yield content
    elif isinstance(content, (list, dict)):
        for entry in content.values() if isinstance(content, dict) else content:
            yield from _files(entry, folder)


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
