"""Solves of a problem's model under its conditions by a solver and a method, without certificates.

Steady states stay those of `gradaudit.certification.steady_state`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.errors import ModelWarning
from gradaudit.problem.groups import Group
from gradaudit.problem.likelihood import Contribution, Sum
from gradaudit.problem.preparing import Preparation, told_of
from gradaudit.problem.simulation import contributions
from gradaudit.problem.solving import Solved
from gradaudit.records.results import Extended, Sensitivities
from gradaudit.records.usual import METHOD
from gradaudit.sensitivity.api import sensitivities
from gradaudit.sensitivity.result_warnings import NEGLECTED, neglected_terms_told_elsewhere

Array = NDArray[np.float64]
STEADY_SECONDS = 600.0
LACKING = (
    "The rates jump, or the state does, at a time that depends on the parameters, and the method "
    "{!r} leaves out what that adds to the sensitivities (the saltation term): the gradient is "
    'wrong at every tolerance. Take method="saltation".'
)
STATS = ("steps", "accepted", "rejected", "seconds", "compile_seconds")


@dataclass(frozen=True)
class ApproximatePart:
    """What one group of measurements contributes by a method.

    Attributes
    ----------
    contributions
        With value and gradient, and bounds that mean nothing.
    perturbed
        The same with the estimated errors of states and sensitivities added; None without any.
    status, indicator, stats
        As `gradaudit.sensitivities` gives them; "ok" and zeros where nothing had to be solved.
    solved, moved
        The solve, and with the estimated errors added; the latter is None without any.
    chunked
        Whether the parameters are propagated in chunks with states of their own, so that no one
        solve has all of it.
    """

    group: Group
    contributions: tuple[Contribution, ...]
    perturbed: tuple[Contribution, ...] | None
    status: str
    indicator: float
    stats: dict[str, float]
    solved: Solved
    moved: Solved | None = None
    chunked: bool = False


def approximate(
    preparation: Preparation, group: Group, setting: Mapping[str, Any]
) -> ApproximatePart:
    """One group of a problem by `gradaudit.sensitivities` with the keywords in `setting`.

    Raises
    ------
    ProblemError
        If the model cannot be read with these values, or has no steady state where one is needed.
    SettingError
        If the setting is invalid.
    """
    prepared = preparation.prepared(group, time_limit=STEADY_SECONDS)
    stats = dict.fromkeys(STATS, 0.0)
    if prepared.resting is not None:
        solved = Solved.of(group, prepared, [prepared.resting], "ok", False)
        return ApproximatePart(
            group, contributions(preparation, group, solved), None, "ok", np.nan, stats, solved
        )
    last = [preparation.limit(group, time_limit=STEADY_SECONDS)] if group.rests else []
    if not len(prepared.times):
        solved = Solved.of(group, prepared, last, "ok", False)
        return ApproximatePart(
            group, contributions(preparation, group, solved), None, "ok", np.nan, stats, solved
        )
    with told_of(group, quiet=False):
        # an observable may well depend on what the rates do not
        warnings.filterwarnings("ignore", ".*nothing depends on the parameter", ModelWarning)
        with neglected_terms_told_elsewhere():
            result = sensitivities(prepared.translation.model, times=prepared.times, **setting)
        if result.indicators.get("neglected", 0.0) > NEGLECTED:
            warnings.warn(LACKING.format(setting.get("method", METHOD)), ModelWarning, stacklevel=2)

    def solve(found: Extended) -> Solved:
        return Solved.of(group, prepared, [found, *last], result.status, False)

    def by(found: Extended) -> tuple[Contribution, ...]:
        return contributions(preparation, group, solve(found))

    moved = None
    if result.estimates is not None and result.chunk_of is None:
        n = result.states.shape[1]
        moved = solve(
            _extended(
                result.states + result.estimates.states[:, :n],
                result.sensitivities + result.estimates.sensitivities[:, :n],
            )
        )
    return ApproximatePart(
        group,
        _of_chunks(result, by),
        None if moved is None else contributions(preparation, group, moved),
        result.status,
        float(result.indicator),
        {name: float(result.stats.get(name, 0.0)) for name in STATS},
        solve(_extended(result.states, result.sensitivities)),
        moved,
        result.chunk_of is not None,
    )


def _of_chunks(result: Sensitivities, by: Any) -> tuple[Contribution, ...]:
    """Contributions of a solve whose parameters may be propagated in chunks.

    Each chunk has a grid and so states of its own, which its parameters see. What depends on an
    estimated parameter directly is that of the first chunk, as is the value.
    """
    whole: tuple[Contribution, ...] = by(_extended(result.states, result.sensitivities))
    if result.chunk_of is None or result.chunk_states is None:
        return whole
    first, *others = range(len(result.chunk_states))
    own = np.where(result.chunk_of == first, result.sensitivities, 0.0)
    total: tuple[Contribution, ...] = by(_extended(result.chunk_states[first], own))
    for chunk in others:
        states = result.chunk_states[chunk]
        own = np.where(result.chunk_of == chunk, result.sensitivities, 0.0)
        with_own, direct = by(_extended(states, own)), by(_extended(states, np.zeros_like(own)))
        total = tuple(
            replace(
                a,
                by_condition={
                    name: _added(a.by_condition[name], b.by_condition[name], c.by_condition[name])
                    for name in a.by_condition
                },
            )
            for a, b, c in zip(total, with_own, direct, strict=True)
        )
    return total


def _added(total: Sum, own: Sum, direct: Sum) -> Sum:
    """A sum with the gradient that the parameters of another chunk have through the states."""
    return replace(total, gradient=total.gradient + (own.gradient - direct.gradient))


def _extended(states: Array, derivatives: Array) -> Extended:
    return Extended(
        states=states.astype(np.longdouble),
        sensitivities=derivatives.astype(np.longdouble),
        state_bounds=np.zeros(states.shape),
        sensitivity_bounds=np.zeros(derivatives.shape),
    )
