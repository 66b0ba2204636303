"""`gradaudit check`: fails where a gradient is proven to be worse than it was, for a pipeline."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradaudit.errors import SettingError

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "gradaudit baseline 1"
FACTOR = 2.0
"""An error is worse if it is more than so many times as large: steps differ between versions."""

Setting = dict[str, Any]
"""Status, error and resolution of a gradient; None for what is not finite."""


def settings_of(rows: pd.DataFrame) -> dict[str, Setting]:
    """The rows of an audit by solver, method and tolerance."""
    return {
        f"{row['solver']} {row['method']} {row['rtol']:g}": {
            "status": str(row["status"]),
            "error": _finite(row["error"]),
            "resolution": _finite(row["resolution"]),
        }
        for row in rows.to_dict("records")
    }


def worse(now: Mapping[str, Setting], before: Mapping[str, Setting], accuracy: float) -> list[str]:
    """What is proven to be worse, in words.

    Parameters
    ----------
    accuracy
        An error up to it is no fault, however small it was before.
    """
    return list(_worse(now, before, accuracy))


def _worse(
    now: Mapping[str, Setting], before: Mapping[str, Setting], accuracy: float
) -> Iterator[str]:
    for name, own in now.items():
        known = before.get(name)
        if known is None or known["status"] != "ok":
            continue
        if own["status"] != "ok":
            yield f"{name}: no gradient any more ({own['status']})"
            continue
        least, most = _bound(own, -1.0), _bound(known, 1.0)
        if least > max(FACTOR * most, accuracy):
            yield f"{name}: error {own['error']:.1e}, was {known['error']:.1e}"


def inconclusive(now: Mapping[str, Setting]) -> int:
    """How many gradients have an error that is not measured."""
    return sum(own["status"] == "ok" and math.isnan(_bound(own, 1.0)) for own in now.values())


def compare(rows: pd.DataFrame, *, name: str, baseline: Path, update: bool, accuracy: float) -> int:
    """Compare an audit with the baseline, and say what came out; 0, or 1 where it is worse.

    A baseline that does not exist is written; so is one that is to be updated, unless it is worse.

    Raises
    ------
    SettingError
        If the file is no baseline, or that of another model.
    """
    now = settings_of(rows)
    if not baseline.exists():
        _write(baseline, name, now)
        print(f"{baseline} is written: {len(now)} gradients of {name}")
        return 0
    found = worse(now, _read(baseline, name), accuracy)
    for sentence in found:
        print(f"worse: {sentence}")
    open_ones = inconclusive(now)
    if open_ones:
        print(f"inconclusive: the error of {open_ones} gradients is not measured")
    print(f"{name}: {len(found)} of {len(now)} gradients are proven to be worse than in {baseline}")
    if update and not found:
        _write(baseline, name, now)
    return 1 if found else 0


def content_of(path: Path, schema: str) -> dict[str, Any] | None:
    """A JSON document, or None if it is not one of that schema."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return dict(content) if content["schema"] == schema else None
    except (ValueError, KeyError, TypeError):
        return None


def _bound(own: Setting, sign: float) -> float:
    error, resolution = own["error"], own["resolution"]
    return math.nan if error is None or resolution is None else error + sign * resolution


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _write(path: Path, name: str, settings: Mapping[str, Setting]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"schema": SCHEMA, "name": name, "settings": dict(settings)}
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _read(path: Path, name: str) -> dict[str, Setting]:
    content = content_of(path, SCHEMA)
    if content is None:
        raise SettingError(f"{path} is no baseline of gradaudit check; name another file.")
    if content["name"] != name:
        raise SettingError(f"{path} is the baseline of {content['name']!r}, not of {name!r}.")
    return dict(content["settings"])
