"""Rows of published estimation problems: gradients of log-likelihoods at their certified points."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rows import MAX_STEPS, SECONDS, TOLERANCES  # isort: skip

SMALL = (
    "Boehm_JProteomeRes2014",
    "Borghans_BiophysChem1997",
    "Crauste_CellSystems2017",
    "Giordano_Nature2020",
    "Okuonghae_ChaosSolitonsFractals2020",
    "Perelson_Science1996",
    "Sneyd_PNAS2002",
    "Bertozzi_PNAS2020",
)
POINTS = 4


def rows_of_problem(
    folder: Path, certified: Path, number: int, solvers: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    """One row per solver, control and tolerance at a point of the document `certified`.

    The gradient is d / dp on the estimation scale, mostly of decimal logarithms.
    """
    from gradaudit import load_problem
    from gradaudit.problem.gradient import gradients

    document = json.loads(certified.read_text())
    points = list(document["points"].values())
    if number >= len(points) or points[number]["status"] != "ok":
        yield {"status": "no reference"}
        return
    own, names = points[number], document["parameters"]
    problem = load_problem(next(iter(sorted(folder.glob("*.yaml")))))
    exact = np.array([own["gradient"][name] for name in names])
    bounds = np.array([own["bounds"][name] for name in names])
    point = np.array([own["point"][name] for name in names])
    for solver in solvers:
        implicit, begin = solver != "tsit5", time.perf_counter()
        for method in ("forward_ad", "forward_sensitivity"):
            for rtol in TOLERANCES:
                setting = {
                    "solver": solver, "implicit": implicit, "control": method, "rtol": rtol,
                    "hybrid": False, "m": len(names), "digits": own["least_digits"],
                    "jumps": False, "events": 0, "one_sided": 0, "neglected": 0.0,
                }  # fmt: skip
                if time.perf_counter() - begin > SECONDS:
                    yield {**setting, "status": "cut"}
                    continue
                keywords = {
                    "solver": solver, "method": method, "rtol": rtol, "estimate": True,
                    "max_steps": MAX_STEPS[implicit],
                }  # fmt: skip
                (found,) = gradients(problem, [keywords], point)
                yield {**setting, **_judged(found, exact, bounds, implicit)}


def _judged(found: Any, exact: Any, bounds: Any, implicit: bool) -> dict[str, Any]:
    from gradaudit.analysis.calibration.stepping import LIMITS
    from gradaudit.checked.calibration import calibrated
    from gradaudit.evaluation.gradient_error import norm, ratio
    from gradaudit.evaluation.indicators.estimated_error import value

    row = {
        "status": found.status.partition(":")[0],
        "steps": found.stats["steps"],
        "accepted": found.stats["accepted"],
        "seconds": found.stats["seconds"],
        "indicator": found.indicator,
        "warned": len(found.warnings),
    }
    if row["status"] != "ok" or found.estimate is None:
        return row
    raw = value(found.estimate, found.gradient)
    likely = calibrated(raw, True, LIMITS.index("implicit") if implicit else 0)
    size = norm(exact)
    cosine = float(found.gradient @ exact) / max(norm(found.gradient) * size, 1e-300)
    return row | {
        "functional": "log_likelihood",
        "error": ratio(norm(found.gradient - exact), size),
        "cosine": cosine,
        "resolution": ratio(norm(bounds), size),
        "reference_norm": size,
        "natural_scale": size,
        "raw": raw,
        "estimate": float(likely.median),
        "low": float(likely.low),
        "high": float(likely.high),
    }
