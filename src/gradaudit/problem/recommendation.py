"""`recommend`: the cheapest setting whose gradients are good enough for what they are used for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gradaudit.errors import GradauditError, SettingError, first_few
from gradaudit.evaluation.verdict import sufficient_tolerance
from gradaudit.problem.audit import settings_of, usual_methods
from gradaudit.problem.definition import Problem
from gradaudit.problem.effects import Point, effects, exactly
from gradaudit.problem.needed import ACCEPTANCE, TRAJECTORY, energy_allowed, step_allows
from gradaudit.problem.points import points
from gradaudit.records.numbers import short

Array = NDArray[np.float64]

GOALS = ("step", "standard_error", "hmc")
TOLERANCES = tuple(10.0**-k for k in range(3, 12))
REACH = 0.25
"""Of the way to a point drawn between the bounds: what is called far away."""

SHARES = (1.0, 0.3, 0.1, 0.01)
"""Of a draw from the normal density: a model may have no solution where that says it is likely."""

MEANING = {
    "accuracy": "the gradient's relative error",
    "step": "the change of a step of L-BFGS",
    "standard_error": "the change of a standard error",
    "hmc": "the standard deviation that the energy of a trajectory gains",
}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The cheapest setting for a goal.

    Attributes
    ----------
    goal, limit
        What it is for, and the largest value of that which is allowed.
    setting
        Keywords of `Problem.gradient`; None where no setting is known to be good enough.
    value
        What it is by this setting, the largest one of all points.
    looser
        The same at the next looser tolerance that was tried; NaN where there is none.
    work
        Of one gradient, in evaluations of the vector field: see `gradaudit.evaluation.work`.
    reason
        Why there is no setting, "" where there is one.
    """

    goal: str
    limit: float
    setting: dict[str, object] | None
    value: float = math.nan
    looser: float = math.nan
    work: float = math.nan
    reason: str = ""

    def __str__(self) -> str:
        if self.setting is None:
            return f"none is known: {self.reason}"
        words = f"{self.setting['solver']}, {self.setting['method']}, rtol {self.setting['rtol']:g}"
        found = f"{short(self.value)} of {short(self.limit)} allowed"
        return f"{words} ({found}; next looser {_number(self.looser)})"


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """What a problem needs.

    Attributes
    ----------
    choices
        The cheapest setting for each goal, and for all of them together as "all".
    points
        Where gradients were compared: see `gradaudit.problem.effects.Point`.
    allowed
        For each point the relative error of the gradient that is allowed whatever its direction
        ("step", "hmc"), and the relative error of the sensitivities over their noise, in units of
        each parameter's column ("standard_error"); a smaller one surely changes no more.
    left_out
        Points without a certified gradient, and why.
    table
        A row for each point and setting, with the value of each goal in a column.
    """

    choices: dict[str, Choice]
    points: tuple[Point, ...]
    allowed: dict[str, dict[str, float]]
    left_out: dict[str, str]
    table: pd.DataFrame

    @property
    def setting(self) -> dict[str, object] | None:
        """Keywords of `Problem.gradient` that are good enough for all goals, or None."""
        return self.choices["all"].setting

    def __str__(self) -> str:
        width = max(len(goal) for goal in self.choices)
        lines = [f"{goal:{width}}  {choice}" for goal, choice in self.choices.items()]
        for point in self.points:
            own = self.allowed[point.name]
            lines.append(
                f"{point.name}: Newton step of {point.length:.2g} standard errors; allowed errors "
                + ", ".join(f"{goal} {short(value)}" for goal, value in own.items())
            )
            if point.ignored:
                names = first_few(point.ignored, quoted=False)
                lines.append(f"  wider than their bounds, and not counted: {names}")
        lines += [f"{name}: left out, {why}" for name, why in self.left_out.items()]
        return "\n".join(lines)


def recommend(
    problem: Problem,
    accuracy: float | None = None,
    *,
    goals: Sequence[str] | None = None,
    change: float = 1e-2,
    p: ArrayLike | None = None,
    far: int = 1,
    seed: int = 0,
    solvers: Sequence[str] = ("tsit5", "rodas5p"),
    methods: Sequence[str] | None = None,
    tolerances: Sequence[float] = TOLERANCES,
    atol_factor: float = 1e-3,
    max_steps: int = 50_000,
    acceptance: float = ACCEPTANCE,
    digits: float = 10.0,
    time_limit: float = 600.0,
) -> Recommendation:
    """The cheapest solver, method and tolerance that is accurate enough.

    Gradients by all settings are compared with certified ones at the given point, at one that is
    drawn from the normal density with the inverse Fisher information there, and far away. A setting
    is good for a goal if the goal's value is within its limit at all points, with the error of the
    reference added. The tolerance of a solver and method is the loosest one from which on all
    tighter ones are good; failed solves, which say so themselves, are left out. Of these the one
    of least counted work is taken.

    Parameters
    ----------
    accuracy
        A relative error of the gradient that is wanted, ``|g_h - g| / |g|``. The goal is then
        this alone, unless `goals` has others.
    goals
        "step": the error of the gradient changes no step of L-BFGS by more than `change`, for a
        given memory of the optimiser; at all points. "standard_error": no
        standard error does, of those that are smaller than the distance of the bounds; near the
        optimum. "hmc": the acceptance of Hamiltonian Monte Carlo falls by no more; near the
        optimum. The derivations are in `gradaudit.problem.needed`. None: all of these.
    p
        The optimum (K,) on the estimation scale, or a point near it; None: nominal parameters.
    far, seed
        How many points far away: a quarter of the way to points drawn between the bounds.
    solvers, methods, tolerances, atol_factor, max_steps
        What is tried, as in `gradaudit audit`; an implicit solver takes a tenth of the steps.
    acceptance
        That the sampler is tuned to.
    digits, time_limit
        Of the certified gradients, see `gradaudit.reference_gradient`; the time is for each point.

    Raises
    ------
    SettingError
        If a setting is invalid.
    ProblemError
        If `p` is invalid, or the problem has no certified gradient there.
    """
    wanted = tuple(goals) if goals is not None else (() if accuracy is not None else GOALS)
    for goal in wanted:
        if goal not in GOALS:
            raise SettingError(f"unknown goal {goal!r}; choose from {', '.join(GOALS)}.")
    limits = {"accuracy": accuracy} if accuracy is not None else {}
    for name, own in {"accuracy": accuracy, "change": change}.items():
        if own is not None and not 0.0 < own < 1.0:
            raise SettingError(f"{name} is {own!r}; it must be between 0 and 1.")
    energy = energy_allowed(change, acceptance)
    limits |= {goal: energy if goal == "hmc" else change for goal in wanted}
    if not limits:
        raise SettingError("there is no goal: give an accuracy, or goals.")
    ladder = sorted({float(rtol) for rtol in tolerances}, reverse=True)
    settings = [
        setting
        for solver in solvers
        for setting in settings_of(
            solver,
            usual_methods(problem) if methods is None else methods,
            ladder,
            atol_factor=atol_factor,
            max_steps=max_steps,
        )
    ]
    found, left_out = _points(problem, p, far, seed, digits, time_limit)
    rows = [row for point in found for row in effects(problem, point, settings)]
    table = pd.DataFrame(rows)
    choices = {goal: _choice(goal, {goal: limit}, table) for goal, limit in limits.items()}
    if "standard_error" in limits and not any(own.counted for own in found if own.near):
        choices["standard_error"] = Choice(
            goal="standard_error",
            limit=limits.pop("standard_error"),
            setting=None,
            reason="no standard error is smaller than the distance of its bounds",
        )
    if len(limits) > 1:
        choices["all"] = _choice("all", limits, table)
    else:
        choices["all"] = choices[next(iter(limits), "standard_error")]
    allowed = {point.name: _allowed(point, limits, change) for point in found}
    return Recommendation(
        choices=choices, points=tuple(found), allowed=allowed, left_out=left_out, table=table
    )


def _points(
    problem: Problem, p: ArrayLike | None, far: int, seed: int, digits: float, time_limit: float
) -> tuple[list[Point], dict[str, str]]:
    """Certified points: the optimum, a typical one of the posterior, and others far away."""
    parameters = problem.parameters
    first = exactly(problem, "nominal", p, digits=digits, time_limit=time_limit)
    first = replace(first, near=True)
    here = parameters.nominal if p is None else np.asarray(p, dtype=np.float64)
    typical = np.clip(here + first.metric.drawn(seed), parameters.lower, parameters.upper)
    tries = {"typical": [here + share * (typical - here) for share in SHARES]}
    drawn = points(parameters, drawn=far, seed=seed)
    for number, there in enumerate(own for own in drawn.values() if own is not None):
        tries[f"far {number + 1}"] = [here + REACH * (there - here)]
    found, left_out = [first], dict[str, str]()
    for name, places in tries.items():
        for there in places:
            try:
                own = exactly(problem, name, there, digits=digits, time_limit=time_limit)
            except GradauditError as error:
                left_out[name] = str(error)
                continue
            found.append(replace(own, near=name == "typical"))
            left_out.pop(name, None)
            break
    return found, left_out


VALUES = {
    "accuracy": "gradient_error",
    "step": "step_change",
    "standard_error": "standard_error_change",
    "hmc": "energy",
}


def _choice(goal: str, limits: Mapping[str, float], table: pd.DataFrame) -> Choice:
    """The cheapest setting by which each value is within its limit."""
    limit = next(iter(limits.values())) if len(limits) == 1 else 1.0
    best: Choice | None = None
    coarse = False
    for _, curve in table.groupby(["solver", "method"], sort=False):
        worst = {rtol: _worst(own, limits) for rtol, own in curve.groupby("rtol")}
        series = pd.DataFrame(worst).T.sort_index(ascending=False)  # from loose to tight
        coarse |= bool((series["doubt"] > 0.5).any())
        # NaN is a solve that failed, and says so; an infinite change is one of a solve that did not
        bound = (series["value"] + series["doubt"]).replace(np.inf, np.finfo(float).max)
        rtol = sufficient_tolerance(series.index.tolist(), bound.tolist(), 1.0)
        if math.isnan(rtol):
            continue
        before = series[series.index > rtol]
        row = series.loc[rtol].to_dict()
        if best is None or row["work"] < best.work:
            looser = float(before["value"].iloc[-1]) if len(before) else math.nan
            best = Choice(
                goal=goal,
                limit=limit,
                setting=dict(curve[curve["rtol"] == rtol]["setting"].iloc[0]),
                value=float(row["value"]) * limit,
                looser=looser * limit,
                work=float(row["work"]),
            )
    if best is not None:
        return best
    reason = "no tolerance that was tried is good enough, and all tighter ones"
    if coarse:
        reason = "the reference has too few digits"
    return Choice(goal=goal, limit=limit, setting=None, reason=reason)


def _worst(own: pd.DataFrame, limits: Mapping[str, float]) -> pd.Series:
    """Of a setting, over its limit: the largest value of all points and goals; and the work."""
    value = doubt = 0.0
    failed = False
    for goal, limit in limits.items():
        near = goal in ("standard_error", "hmc")
        rows = own[own["near"]] if near else own
        failed |= bool((rows["status"] != "ok").any())
        numbers, unsure = rows[VALUES[goal]], rows[f"{VALUES[goal]}_doubt"]
        if goal == "hmc":
            wrong = rows["value_error"]
            lone = 2.0 * float(wrong.abs().max())  # nothing is known of how it varies
            spread = float(wrong.max() - wrong.min()) if len(rows) > 1 else lone
            largest = TRAJECTORY * math.sqrt(float((numbers**2).mean())) + spread
            largest_doubt = TRAJECTORY * float(unsure.max())
        else:
            largest, largest_doubt = float(numbers.max()), float(unsure.max())
        value, doubt = max(value, largest / limit), max(doubt, largest_doubt / limit)
    return pd.Series(
        {"value": math.nan if failed else value, "doubt": doubt, "work": own["work"].mean()}
    )


def _allowed(point: Point, limits: Mapping[str, float], change: float) -> dict[str, float]:
    found: dict[str, float] = {}
    size = float(np.linalg.norm(point.gradient))
    if "accuracy" in limits:
        found["accuracy"] = limits["accuracy"]
    if "step" in limits:
        found["step"] = step_allows(point.metric, point.gradient, change)
    if "standard_error" in limits and point.near:
        found["standard_error"] = change / (1.0 + change) * point.weakest_column
    if "hmc" in limits and point.near and size > 0.0:
        found["hmc"] = limits["hmc"] / TRAJECTORY * point.metric.weakest / size
    return found


def _number(value: float) -> str:
    return "not tried or failed" if math.isnan(value) else short(value)
