"""Gradients of a problem by many settings, within a time that is asked for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from gradaudit.problem.definition import Problem
from gradaudit.problem.gradient import Approximation, Gradient, Solve, approximation_at

GIVEN_UP = 2
"""After so many solves of a method in a row with too many steps tighter ones are not tried.

Unless the setting that counts most has a result: then tighter ones have, too.
"""

MORE = 1.25
"""What the others may add to the time of the setting that counts most, however long that is."""

NOT_RUN = "not_run"
"""The status of a solve that was not tried, since looser ones needed too many steps."""

Setting = Mapping[str, Any]


@dataclass(frozen=True)
class Ladders:
    """Gradients by settings, and which settings were left out to save time."""

    gradients: tuple[Gradient, ...]
    left_out: tuple[Setting, ...]


def ladders(
    problem: Problem,
    settings: Sequence[Setting],
    *,
    first: Setting,
    seconds: float,
    p: ArrayLike | None = None,
    needed: bool = True,
    report: Callable[[str], None] = lambda text: None,
) -> Ladders:
    """Gradients by the settings of one solver.

    The first condition is solved with all settings that fit into its share of the time. If the
    others would take too long, only as many settings are kept as fit, `first` in any case, and then
    the quickest.

    Parameters
    ----------
    settings
        Keywords of `gradaudit.sensitivities`, tolerances of a method from loose to tight.
    first
        The one that counts most.
    seconds
        The time for all of them.
    p
        The point (K,) on the estimation scale; None: the nominal parameters.
    needed
        Whether `first` is solved however long it takes; if not, no setting is kept where the first
        condition shows that it would take longer than `seconds`.
    report
        Is told how far it is.
    """
    approximation = approximation_at(problem, tuple(problem.parameters.values(p).tolist()))
    count, important = len(approximation.groups), settings.index(first)
    order = sorted(range(len(settings)), key=lambda k: (k != important, k))
    started = time.perf_counter()
    solves, times = _timed(approximation, 0, settings, order, seconds / count)
    kept = sorted(solves)
    if count > 1:
        left = (seconds - (time.perf_counter() - started)) / (count - 1)
        if not needed and sum(times[important]) > left:
            return Ladders((), tuple(settings))
        known = [str(settings[k]["method"]) for k in kept], [times[k] for k in kept]
        kept = [kept[k] for k in _fitting(*known, left, kept.index(important))]
    order = [k for k in order if k in kept]
    columns = {k: [solves[k]] for k in kept}
    for number in range(1, count):
        report(f"condition {number + 1} of {count}")
        for k, own in _timed(approximation, number, settings, order, math.inf)[0].items():
            columns[k].append(own)
    return Ladders(
        tuple(approximation.total(p, settings[k], columns[k]) for k in kept),
        tuple(own for k, own in enumerate(settings) if k not in kept),
    )


def _timed(
    approximation: Approximation,
    number: int,
    settings: Sequence[Setting],
    order: Sequence[int],
    seconds: float,
) -> tuple[dict[int, Solve], dict[int, tuple[float, float]]]:
    """Solves of a group, and the seconds that each compiled and took, by the settings' positions.

    The first one of the order is solved in any case, the others until the time is over; they are
    quick where they use its program.
    """
    group, started = approximation.groups[number], time.perf_counter()
    solves: dict[int, Solve] = {}
    times: dict[int, tuple[float, float]] = {}
    in_a_row: dict[Any, int] = {}
    for k in order:
        begin, setting = time.perf_counter(), settings[k]
        if solves and begin - started > max(seconds, MORE * sum(times[order[0]])):
            break
        curve = setting["method"]
        works = bool(solves) and solves[order[0]].status == "ok"  # what fails then, is too loose
        if solves and in_a_row.get(curve, 0) >= GIVEN_UP and not works:
            solves[k] = Solve(group, None, NOT_RUN, ())
        else:
            (solves[k],) = approximation.solve(group, [setting])
            failed = solves[k].status == "max_steps"
            in_a_row[curve] = in_a_row.get(curve, 0) + 1 if failed else 0
        part = solves[k].part
        compiling = part.stats["compile_seconds"] if part is not None else 0.0
        times[k] = compiling, time.perf_counter() - begin - compiling
        if k == order[0]:  # out of its order, so that it tells nothing of the others
            in_a_row.clear()
    return solves, times


def _fitting(
    methods: Sequence[str], times: Sequence[tuple[float, float]], left: float, first: int
) -> list[int]:
    """Positions of the settings that fit into a time for each condition, in order.

    Parameters
    ----------
    methods
        Of the settings. One that compiled nothing uses the program of the first method.
    times
        Seconds that each compiled and solved under the first condition.
    """
    if sum(compiling + solving for compiling, solving in times) <= left:
        return list(range(len(times)))
    compiling = dict.fromkeys(methods, 0.0)
    for method, (own, _) in zip(methods, times, strict=True):
        compiling[method] += own
    programs = {method: method if compiling[method] else methods[0] for method in methods}
    left = max(left, MORE * (compiling[programs[methods[first]]] + times[first][1]))
    opened, spent, kept = set[str](), 0.0, list[int]()
    for index in sorted(range(len(times)), key=lambda k: (k != first, times[k][1])):
        program = programs[methods[index]]
        more = times[index][1] + (0.0 if program in opened else compiling[program])
        if index == first or spent + more <= left:
            kept.append(index)
            opened.add(program)
            spent += more
    return sorted(kept)
