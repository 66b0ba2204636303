"""What wrong gradients do to a fit: L-BFGS-B from the same starts by several settings.

The value and the gradient of the negative log-likelihood come from one solve, as they do in a fit.
How good an end is, is judged by the tight setting at every end.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize

from gradaudit.errors import ProblemError
from gradaudit.problem.definition import Parameters, Problem
from gradaudit.problem.gradient import gradients

Array = NDArray[np.float64]
Setting = Mapping[str, Any]

OK, TIME_LIMIT, NOT_RUN = "ok", "time_limit", "not_run"

MOST_STEPS = 20_000
"""Of a solve in a fit; far from the nominal parameters one could take millions."""

SEARCH = 20
"""Calls of the objective in a search along a line, of L-BFGS-B, before it gives up."""

LOST = 1e10
"""The objective where a solve has no result: far above all others, and flat."""

WORSE = 0.1
"""Of the log-likelihood: an end that is worse by more is elsewhere."""


def starts(parameters: Parameters, count: int, *, spread: float, seed: int) -> Array:
    """Points (count, K) about the nominal one on the estimation scale, within the bounds.

    Parameters
    ----------
    spread
        Standard deviation of a normal distribution, on the estimation scale.
    """
    drawn = np.random.default_rng(seed).normal(size=(count, len(parameters)))
    found: Array = np.clip(parameters.nominal + spread * drawn, parameters.lower, parameters.upper)
    return found


def fits(
    problem: Problem,
    settings: Sequence[Setting],
    points: Array,
    *,
    iterations: int,
    seconds: float,
    tell: Callable[[float, str], None] = lambda done, text: None,
) -> pd.DataFrame:
    """Fit from each point by each setting; a row per point and setting, points in turn.

    Parameters
    ----------
    settings
        Keywords of `gradaudit.sensitivities`. The first is the tight one, which judges all ends.
    points
        (N, K) on the estimation scale.
    iterations
        At most so many of L-BFGS-B.
    seconds
        For all fits. A fit that is under way then has the status "time_limit", and one that has
        not begun "not_run".
    tell
        Is told the fraction that is done, and what has been done.

    Returns
    -------
    DataFrame
        `start` counts the points from 0. `solver`, `method`, `rtol` and `atol` are the setting, and
        `judges` is whether it is the tight one. `status` is "ok", "time_limit", "not_run", or
        "not_judged: " and the status of the tight setting at the end. `log_likelihood` at the end
        is by the tight setting, `reference` is that where the tight setting ends from the same
        point, `elsewhere` whether the former is less by more than `WORSE`, `better` whether it is
        more by as much, and `distance` that of the two ends; NaN and None where either is missing.
        `iterations`, `calls`, `lost` (calls without a result), `line_search_failed` (the last one
        took all its `SEARCH` calls, or the optimiser says so), `seconds` of the calls without
        `compile_seconds`, `start_point` and `end_point` (K,) are of the fit.
        `message` is that of the optimiser.
    """
    begin = time.perf_counter()
    judge = settings[0]
    rows: list[dict[str, Any]] = []
    for number, point in enumerate(points):
        tight: dict[str, Any] | None = None
        for index, setting in enumerate(settings):
            left = seconds - (time.perf_counter() - begin)
            own = _fit(problem, setting, judge, point, iterations=iterations, seconds=left)
            tight = own if tight is None else tight
            rows.append(
                {
                    "start": number,
                    **{name: setting[name] for name in ("solver", "method", "rtol", "atol")},
                    "judges": index == 0,
                    **own,
                    **_against(own, tight),
                    "start_point": point.tolist(),
                }
            )
            done = len(rows) / (len(points) * len(settings))
            tell(done, f"start {number + 1}: {setting['method']} {setting['rtol']:g}, "
                 f"{own['status']}, {own['calls']} calls")  # fmt: skip
    return pd.DataFrame(rows)


def first_that_works(problem: Problem, candidates: Sequence[Sequence[Setting]]) -> list[Setting]:
    """The first list of settings whose tight one has a result at the nominal parameters.

    The first list of all if there is none.
    """
    for settings in candidates:
        if gradients(problem, settings[:1])[0].status == OK:
            return list(settings)
    return list(candidates[0])


class _TimeLimitError(Exception):
    """Ends a fit that is under way."""


@dataclass
class _Objective:
    """The negative log-likelihood by one setting, and what was asked of it."""

    problem: Problem
    setting: Setting
    ends: float
    calls: int = 0
    lost: int = 0
    seconds: float = 0.0
    compile_seconds: float = 0.0
    status: str = OK
    iterates: list[Array] = field(default_factory=list)
    searches: list[int] = field(default_factory=list)

    def __call__(self, p: Array) -> tuple[float, Array]:
        begin = time.perf_counter()
        if begin >= self.ends:
            raise _TimeLimitError
        self.calls += 1
        try:
            with warnings.catch_warnings():  # what is lost is counted
                warnings.simplefilter("ignore")
                (found,) = gradients(self.problem, [self.setting], p)
        except ProblemError:  # a value that is not finite, at bounds that are far away
            self.status = "not_finite"
        else:
            self.status = found.status
            self.compile_seconds += found.stats["compile_seconds"]
            self.seconds -= found.stats["compile_seconds"]
        self.seconds += time.perf_counter() - begin
        if self.status != OK:
            self.lost += 1
            return LOST, np.zeros(len(p))
        return -found.value, -found.gradient

    def keep(self, p: Array) -> None:
        """What the optimiser tells after each iteration, which is one search along a line."""
        self.searches.append(self.calls - sum(self.searches))
        self.iterates.append(np.array(p))

    @property
    def search_failed(self) -> bool:
        """Whether the last search took all its calls.

        The optimiser may call it convergence: where nothing is better, the last of its ever shorter
        steps changes nothing, or too little to be seen. Which it is, depends on rounding.
        """
        first = 1 if len(self.searches) == 1 else 0  # of the start
        return bool(self.searches) and self.searches[-1] - first >= SEARCH


def _fit(
    problem: Problem,
    setting: Setting,
    judge: Setting,
    point: Array,
    *,
    iterations: int,
    seconds: float,
) -> dict[str, Any]:
    """One fit, and its end by the judge."""
    parameters = problem.parameters
    objective = _Objective(problem, setting, time.perf_counter() + seconds)
    end, status, message = point, OK, ""
    try:
        result = minimize(
            objective,
            point,
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(parameters.lower, parameters.upper, strict=True)),
            callback=objective.keep,
            options={"maxiter": iterations, "maxls": SEARCH},
        )
        end, message = np.asarray(result.x), str(result.message)
    except _TimeLimitError:
        end = objective.iterates[-1] if objective.iterates else point
        status = TIME_LIMIT if objective.calls else NOT_RUN
    value = np.nan
    if status == OK:
        last = _Objective(problem, judge, np.inf)
        value = -last(end)[0]
        if last.status != OK:
            status, value = f"not_judged: {last.status}", np.nan
    return {
        "status": status,
        "log_likelihood": value,
        "iterations": len(objective.iterates),
        "calls": objective.calls,
        "lost": objective.lost,
        "line_search_failed": "ABNORMAL" in message or objective.search_failed,
        "seconds": objective.seconds,
        "compile_seconds": objective.compile_seconds,
        "end_point": end.tolist(),
        "message": message,
    }


def _against(own: Mapping[str, Any], tight: Mapping[str, Any]) -> dict[str, Any]:
    """Where a fit ends, beside the end of the tight setting from the same point."""
    known = own["status"] == OK and tight["status"] == OK
    worse = tight["log_likelihood"] - own["log_likelihood"]
    away = np.linalg.norm(np.subtract(own["end_point"], tight["end_point"]))
    return {
        "reference": tight["log_likelihood"],
        "elsewhere": bool(worse > WORSE) if known else None,
        "better": bool(-worse > WORSE) if known else None,
        "distance": float(away) if known else np.nan,
    }
