"""Where a result comes from: stage, settings, code and package versions, and no time of day.

Equal inputs thus give equal files, and the workflow can tell that nothing has changed.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from gradaudit.records.code_digest import code_digest

PACKAGES = (
    "diffrax",
    "equinox",
    "heyoka",
    "jax",
    "jaxlib",
    "lineax",
    "matplotlib",
    "numpy",
    "optimistix",
    "pandas",
    "pyarrow",
    "scipy",
    "seaborn",
    "xarray",
)
"""Packages whose version can change a number, a table or a figure."""

FIELDS = (
    "stage", "model", "solver", "model_file", "settings", "code", "packages", "python", "platform",
)  # fmt: skip
"""The keys of a provenance, which are attributes of a netCDF file beside those of its stage."""


def canonical_json(settings: Mapping[str, Any]) -> str:
    """One text for equal settings, whatever the order of their keys; refuses NaN and infinity."""
    return json.dumps(
        settings, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def provenance(
    stage: str,
    settings: Mapping[str, Any],
    *,
    model: str = "",
    solver: str = "",
    model_file: str = "",
) -> dict[str, str]:
    """What made a result, as texts under the names in `FIELDS`.

    `model` and `solver` are the keys that it is of; empty for a result of all of them.
    `model_file` is a digest of the file that the stage loaded the model from, if it did.
    """
    return {
        "stage": stage,
        "model": model,
        "solver": solver,
        "model_file": model_file,
        "settings": canonical_json(settings),
        "code": code_of(stage),
        "packages": canonical_json({name: _version(name) for name in PACKAGES}),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def figure_metadata(stage: str, settings: Mapping[str, Any], *, model: str = "") -> dict[str, str]:
    """The provenance as texts of a PNG file."""
    return {"gradaudit": canonical_json(provenance(stage, settings, model=model))}


@cache  # a process runs the code that it has imported
def code_of(stage: str) -> str:
    """The code of a stage in its provenance: version of the package, digest of what it imports."""
    return f"gradaudit {_version('gradaudit')} {code_digest(stage)}"


@cache
def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
