"""Certified gradients of a problem as a JSON document; docs/certified.md describes its fields."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from gradaudit.errors import DamagedResultError
from gradaudit.model.spec import digests_of
from gradaudit.problem.certified import ReferenceGradient
from gradaudit.problem.definition import Problem
from gradaudit.records.numbers import rounded_down
from gradaudit.records.provenance import code_of

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
        "files": digests_of(problem.path),
        "versions": _versions(),
        "code": code_of("certificate"),
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


def told(name: str, result: ReferenceGradient | str) -> str:
    """A point and its result as a line for the terminal."""
    if isinstance(result, str):
        return f"{name}: refused: {result}"
    return (
        f"{name}: log-likelihood {result.value:.10g}, {rounded_down(float(result.digits))} digits "
        f"in {result.seconds:.1f} s; {result.status}"
    )


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
