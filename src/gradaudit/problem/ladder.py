"""Gradients of a problem by many settings, within a time that is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradaudit.problem.definition import Problem
from gradaudit.problem.gradient import Approximation, Gradient, Solve, approximation_at

GIVEN_UP = 2
"""After so many solves in a row with too many steps, tighter tolerances are not tried."""

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
    report: Callable[[str], None] = lambda text: None,
) -> Ladders:
    """Gradients at the nominal parameters by the settings of one solver.

    The first condition is solved with all settings. If the others would take too long, only as many
    settings are kept as fit, `first` in any case, and then the others in the order of their times.

    Parameters
    ----------
    settings
        Keywords of `gradaudit.sensitivities`, tolerances of a method from loose to tight.
    first
        The one that counts most.
    seconds
        The time for all of them.
    report
        Is told how far it is.
    """
    values = tuple(problem.parameters.nominal_values.tolist())
    approximation = approximation_at(problem, values)
    groups = approximation.groups
    started = time.perf_counter()
    columns, times = _timed(approximation, 0, settings)
    kept = list(range(len(settings)))
    if len(groups) > 1:
        left = seconds - (time.perf_counter() - started)
        methods = [str(own["method"]) for own in settings]
        kept = _fitting(methods, times, left / (len(groups) - 1), settings.index(first))
    chosen = [settings[index] for index in kept]
    solves = [[columns[index]] for index in kept]
    for number in range(1, len(groups)):
        report(f"condition {number + 1} of {len(groups)}")
        for row, own in zip(solves, _timed(approximation, number, chosen)[0], strict=True):
            row.append(own)
    return Ladders(
        tuple(
            approximation.total(None, setting, row)
            for setting, row in zip(chosen, solves, strict=True)
        ),
        tuple(own for index, own in enumerate(settings) if index not in kept),
    )


def _timed(
    approximation: Approximation, number: int, settings: Sequence[Setting]
) -> tuple[list[Solve], list[tuple[float, float]]]:
    """Solves of a group, and the seconds that each compiles and takes."""
    group = approximation.groups[number]
    solves: list[Solve] = []
    times: list[tuple[float, float]] = []
    in_a_row: dict[Any, int] = {}
    for setting in settings:
        begin, curve = time.perf_counter(), (setting["solver"], setting["method"])
        if in_a_row.get(curve, 0) >= GIVEN_UP:
            solve = Solve(group, None, NOT_RUN, ())
        else:
            (solve,) = approximation.solve(group, [setting])
        if solve.status != NOT_RUN:
            in_a_row[curve] = in_a_row.get(curve, 0) + 1 if solve.status == "max_steps" else 0
        whole = time.perf_counter() - begin
        compiling = solve.part.stats["compile_seconds"] if solve.part is not None else 0.0
        solves.append(solve)
        times.append((compiling, whole - compiling))
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
    opened, spent, kept = set[str](), 0.0, list[int]()
    for index in sorted(range(len(times)), key=lambda k: (k != first, times[k][1])):
        program = programs[methods[index]]
        more = times[index][1] + (0.0 if program in opened else compiling[program])
        if index == first or spent + more <= left:
            kept.append(index)
            opened.add(program)
            spent += more
    return sorted(kept)
