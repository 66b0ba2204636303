"""What one MLflow run holds, decided before any store is opened, and its digest.

Plans are pure data, so equal results give equal digests, and a store is only written where they
differ.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# What servers of every age accept; newer ones allow more.
TAG_LENGTH = 5000
PARAM_LENGTH = 500

NOTE = "mlflow.note.content"
"""The tag that the user interface shows as a run's description."""


@dataclass(frozen=True, order=True, kw_only=True)
class Reading:
    """One finite value of a metric at one step."""

    name: str
    step: int
    value: float


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One file of a run: its path inside the run, and its bytes."""

    path: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """What the values of a run were compared with: its name, its digest, and the file it is in."""

    name: str
    digest: str
    file: str


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """Everything that is logged for one run.

    Attributes
    ----------
    key
        Identifies the run in an experiment for ever, such as ``solve/logistic/tsit5/dual_norm``.
    name
        What the user interface calls it.
    parent
        Key of the run that this one is nested in; empty for none. Not part of the digest.
    """

    key: str
    name: str
    parent: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    data: DataSet | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the content: equal content, equal digest, whenever it is computed."""
        content = {
            "name": self.name,
            "params": dict(self.params),
            "tags": dict(self.tags),
            "readings": sorted((r.name, r.step, r.value) for r in self.readings),
            "data": [self.data.name, self.data.digest] if self.data else [],
            "artifacts": sorted(
                (a.path, hashlib.sha256(a.content).hexdigest()) for a in self.artifacts
            ),
        }
        text = json.dumps(content, sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def readings(values: Iterable[tuple[str, int, Any]]) -> tuple[Reading, ...]:
    """The finite ones among (name, step, value), sorted; MLflow would store infinity as 1.8e308."""
    return tuple(
        sorted(
            Reading(name=name, step=step, value=float(value))
            for name, step, value in values
            if value is not None and math.isfinite(value)
        )
    )


def texts(values: Mapping[str, Any], *, length: int) -> dict[str, str]:
    """Values as texts that are short enough to be params or tags; empty ones are left out."""
    values_as_text = {name: _text(value) for name, value in values.items()}
    return {
        name: text if len(text) <= length else text[: length - 1] + "…"
        for name, text in values_as_text.items()
        if text
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
