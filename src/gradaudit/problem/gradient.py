"""The gradient of a log-likelihood by a solver and a method, as a user computes it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradaudit.backend.program_cache import identity_cache
from gradaudit.errors import GradauditError, ModelWarning, SettingError
from gradaudit.problem.approximate import STATS, ApproximatePart, approximate
from gradaudit.problem.certified import on_scale
from gradaudit.problem.definition import Problem
from gradaudit.problem.groups import Group, grouped
from gradaudit.problem.likelihood import Contribution, Sum, nothing
from gradaudit.problem.preparing import Preparation
from gradaudit.problem.solver_choice import with_solver
from gradaudit.solvers.options import MAX_STEPS, Observe

Array = NDArray[np.float64]
Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Gradient:
    """A log-likelihood and its gradient by a method, on the estimation scale.

    Attributes
    ----------
    value, gradient
        The log-likelihood without priors, and d value / d p (K,); NaN where a condition has no
        result.
    status
        "ok", or that of the first condition that has another one: that of its solve ("max_steps",
        "non_finite", ...), "refused: " and why the model cannot be solved under it, "no_noise" (a
        standard deviation that is not positive) or "kink" (a measurement with Laplace noise that
        equals what is simulated: there is no derivative).
    statuses
        The same for each condition.
    parameters, scale
        Names and scales, K each.
    point
        Where the gradient is, (K,), on the estimation scale.
    by_condition, by_observable
        Value and gradient (K,) of the measurements under a condition, and of those of an observable
        under a condition; the keys of the latter are pairs of their ids.
    indicator
        The largest one of all solves; NaN where the method has none.
    estimate
        An estimate of the error of `gradient`, (K,), with the opposite sign: the gradient of solves
        that take two steps of half the length for each one, minus `gradient`; infinite where such a
        solve is lost. None if it was not asked for.
    stats
        "steps", "accepted", "rejected", "seconds" of the warm solves and "compile_seconds", sums
        over all solves; "solves" is their number, without conditions that need certified steady
        states and nothing else.
    setting
        The keywords with which `gradaudit.sensitivities` was called; in place of the solver "auto"
        they name the one that was chosen.
    solver_why
        Why it was chosen; empty where the solver was given.
    warnings
        What was said of the solves.
    """

    value: float
    gradient: Array
    status: str
    statuses: dict[str, str]
    parameters: tuple[str, ...]
    scale: tuple[str, ...]
    point: Array
    by_condition: dict[str, tuple[float, Array]]
    by_observable: dict[Pair, tuple[float, Array]]
    indicator: float
    estimate: Array | None
    stats: dict[str, float]
    setting: dict[str, Any]
    warnings: tuple[str, ...] = ()
    solver_why: str = ""


def gradient(
    problem: Problem,
    p: ArrayLike | None = None,
    *,
    solver: str = "tsit5",
    rtol: float = 1e-6,
    atol: float | None = None,
    method: str = "forward_ad",
    observe: Observe = "step",
    max_steps: int = MAX_STEPS,
    fd_step: float | None = None,
    estimate: bool = False,
) -> Gradient:
    """The gradient of the log-likelihood by a solver and a method, without priors.

    States and sensitivities are those of `gradaudit.sensitivities`, whose options these are; they
    go through the likelihood that the certified gradient has. Steady states, of pre-equilibration
    and of measurements at infinity, are certified ones, whatever the solver: their errors are not
    in the result. The model is read once for each condition, and a solve is compiled once for all
    conditions in which the model is the same but for its numbers; further calls, at other points
    too, reuse both, unless there are events or a steady state before the simulation. For many
    settings of a problem with more than 30 conditions take `gradients`.

    Parameters
    ----------
    problem
        From `gradaudit.load_problem`.
    solver
        As for `gradaudit.sensitivities`. "auto" is chosen once for the problem, at its nominal
        parameters, and then holds at all points: ``.setting["solver"]`` and ``.solver_why``.
    p
        The point (K,) on the estimation scale; None: the nominal parameters.
    estimate
        Whether to estimate the error of the gradient, with one more solve of each condition, which
        takes twice the steps.

    Raises
    ------
    SettingError
        If a setting is invalid. What fails under a condition does not raise: it is its status.
    ProblemError
        If `p` is invalid.
    """
    setting = {
        "solver": solver, "rtol": rtol, "atol": atol, "method": method, "observe": observe,
        "max_steps": max_steps, "fd_step": fd_step, "estimate": estimate,
    }  # fmt: skip
    (found,) = gradients(problem, [setting], p)
    for text in found.warnings:
        warnings.warn(text, ModelWarning, stacklevel=2)
    return found


def gradients(
    problem: Problem, settings: Sequence[Mapping[str, Any]], p: ArrayLike | None = None
) -> list[Gradient]:
    """As `gradient` for each setting, with the keywords of `gradaudit.sensitivities`.

    One condition after another is solved with all settings, so that its programs are compiled once.
    Warnings are in the results and are not raised.
    """
    values = problem.parameters.values(p)
    approximation = approximation_at(problem, tuple(values.tolist()))
    chosen = [with_solver(problem, setting) for setting in settings]
    named = [setting for setting, _ in chosen]
    columns = [approximation.solve(group, named) for group in approximation.groups]
    return [
        replace(
            approximation.total(p, setting, [column[index] for column in columns]), solver_why=why
        )
        for index, (setting, why) in enumerate(chosen)
    ]


@dataclass(frozen=True)
class Solve:
    """A group by one setting, or why there is no result."""

    group: Group
    part: ApproximatePart | None
    status: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Approximation:
    """The groups of a problem at one point, with their models."""

    preparation: Preparation
    groups: tuple[Group, ...]

    def solve(self, group: Group, settings: Sequence[Mapping[str, Any]]) -> list[Solve]:
        """One group by all settings, in their order; errors as for `gradient`."""
        return list(self.solves(group, settings))

    def solves(self, group: Group, settings: Sequence[Mapping[str, Any]]) -> Iterator[Solve]:
        """The same, one after another."""
        for setting in settings:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ModelWarning)
                try:
                    part = approximate(self.preparation, group, setting)
                    status = _status(part)
                except SettingError:
                    raise
                except GradauditError as error:
                    part, status = None, f"refused: {error}"
            texts = []
            for own in caught:
                if issubclass(own.category, ModelWarning):
                    texts.append(str(own.message))
                else:
                    warnings.warn_explicit(own.message, own.category, own.filename, own.lineno)
            yield Solve(group, part, status, tuple(dict.fromkeys(texts)))

    def total(
        self, p: ArrayLike | None, setting: Mapping[str, Any], solves: Sequence[Solve]
    ) -> Gradient:
        """The gradient of the problem from the solves of its groups."""
        preparation = self.preparation
        parameters, slopes = preparation.problem.parameters, self.slopes
        sums, moved = self._sums(solves), self._sums(solves, perturbed=True)
        whole = on_scale({"": sum(sums.values(), start=nothing(len(parameters)))}, slopes)[""]
        by_condition: dict[str, Sum] = {}
        for (name, _), own in sums.items():
            by_condition[name] = by_condition.get(name, nothing(len(parameters))) + own
        statuses = {m.condition: s.status for s in solves for m in s.group.measurements}
        status = next((own for own in statuses.values() if own != "ok"), "ok")
        value, found = whole
        if status != "ok":
            value, found = math.nan, np.full(len(parameters), np.nan)
        elif not (np.isfinite(value) and np.all(np.isfinite(found))):
            status = "non_finite"
            value, found = math.nan, np.full(len(parameters), np.nan)
        estimate = None
        if moved:
            shifted = on_scale({"": sum(moved.values(), start=nothing(len(parameters)))}, slopes)
            estimate = shifted[""][1] - found
            if status == "ok":  # where a perturbed solve is lost, the error may be of any size
                estimate = np.where(np.isfinite(estimate), estimate, np.inf)
        parts = [own.part for own in solves if own.part is not None]
        indicators = [part.indicator for part in parts if not math.isnan(part.indicator)]
        return Gradient(
            value=value,
            gradient=found,
            status=status,
            statuses=statuses,
            parameters=parameters.names,
            scale=parameters.scales,
            point=parameters.nominal if p is None else np.asarray(p, dtype=np.float64),
            by_condition=on_scale(by_condition, slopes),
            by_observable=on_scale(sums, slopes),
            indicator=max(indicators, default=math.nan),
            estimate=estimate,
            stats={
                **{name: sum(part.stats[name] for part in parts) for name in STATS},
                "solves": float(sum(part.stats["steps"] != 0.0 for part in parts)),
            },
            setting=dict(setting),
            warnings=tuple(dict.fromkeys(text for own in solves for text in own.warnings)),
        )

    @property
    def slopes(self) -> Any:
        """d value / d p of the estimated parameters, (K,)."""
        return self.preparation.problem.parameters.slopes(self.preparation.values)

    def _sums(self, solves: Sequence[Solve], *, perturbed: bool = False) -> dict[Pair, Sum]:
        """By the ids of condition and observable; NaN where there is no result."""
        nan = np.full(len(self.preparation.values), np.nan)
        lost = Sum(np.nan, np.nan, nan, nan, nan)
        found: dict[Pair, Sum] = {}
        asked = any(own.part is not None and own.part.perturbed is not None for own in solves)
        if perturbed and not asked:
            return found
        for own in solves:
            if own.part is None:
                found |= {(m.condition, m.observable): lost for m in own.group.measurements}
                continue
            shown: tuple[Contribution, ...] = own.part.contributions
            if perturbed and own.part.perturbed is not None:
                shown = own.part.perturbed
            for contribution in shown:
                for name, added in contribution.by_condition.items():
                    found[name, contribution.observable] = added
        return found


@identity_cache
def approximation_at(problem: Problem, values: tuple[float, ...]) -> Approximation:
    """The groups of a problem at values of the estimated parameters, (K,), not on their scales."""
    return Approximation(Preparation(problem, np.array(values)), tuple(grouped(problem)))


def _status(part: ApproximatePart) -> str:
    if part.status != "ok":
        return part.status
    if any(own.without_noise for own in part.contributions):
        return "no_noise"
    return "kink" if any(own.kinks for own in part.contributions) else "ok"
