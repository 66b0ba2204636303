"""The Fisher information of a problem by several settings, within a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from gradaudit.errors import GradauditError
from gradaudit.evaluation.information import FisherInformation
from gradaudit.problem.definition import Problem
from gradaudit.problem.gradient import approximation_at
from gradaudit.problem.information import of_solves

Setting = Mapping[str, Any]
NOT_RUN = "not_run"


def informations(
    problem: Problem,
    settings: Sequence[Setting],
    *,
    seconds: float,
    tell: Callable[[str], None] = lambda text: None,
) -> list[tuple[FisherInformation | None, str, float]]:
    """The information at the nominal parameters by each setting, its status, and seconds.

    It is None with the status "not_run" where the time is over, and with "refused: " and the reason
    where a setting cannot give any. The seconds are those of the solves, without compilation.

    Parameters
    ----------
    settings
        Keywords of `gradaudit.sensitivities`. Those that follow one another with one solver and
        method are solved one condition after another, so that programs are compiled once.
    seconds
        For all settings; solves that have begun are finished for their condition, and the first
        solver and method in any case.
    """
    values = tuple(problem.parameters.nominal_values.tolist())
    approximation = approximation_at(problem, values)
    begin, found = time.perf_counter(), list[tuple[FisherInformation | None, str, float]]()
    for (solver, method), own in groupby(settings, key=lambda s: (s["solver"], s["method"])):
        together: list[dict[str, Any]] = [{**setting, "estimate": True} for setting in own]
        columns = []
        for group in approximation.groups:
            if found and time.perf_counter() - begin > seconds:
                break
            columns.append(approximation.solve(group, together))
        if len(columns) < len(approximation.groups):
            found += [(None, NOT_RUN, 0.0)] * len(together)
            continue
        for index, setting in enumerate(together):
            solves = [column[index] for column in columns]
            taken = sum(s.part.stats["seconds"] for s in solves if s.part is not None)
            try:
                one = of_solves(problem, approximation.preparation, solves, setting=setting)
            except GradauditError as error:
                found.append((None, f"refused: {error}", taken))
            else:
                found.append((one, one.status, taken))
        tell(f"{solver} {method}: {time.perf_counter() - begin:.1f} s")
    return found
