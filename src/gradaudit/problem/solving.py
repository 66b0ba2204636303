"""Certified solves of a problem's model under its conditions."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification import reference
from gradaudit.certification.extended import joined
from gradaudit.certification.memory import Memory
from gradaudit.model.sbml.importer import Translation
from gradaudit.problem.groups import Group
from gradaudit.problem.preparing import Preparation, Prepared, told_of
from gradaudit.records.results import Extended

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Solved:
    """A solve of one group.

    Attributes
    ----------
    translation
        The model at these values of the parameters.
    times, found
        The times of the group, (T,), the last one perhaps infinite, and states and sensitivities.
    status
        "ok", or what is not certified.
    owners
        For each parameter of the model the position of its estimated parameter, -1 for none.
    bounded
        Whether the bounds of errors in `found` mean anything.
    """

    translation: Translation
    times: Array
    found: Extended
    status: str
    owners: NDArray[np.int64]
    bounded: bool = True

    @classmethod
    def of(
        cls, group: Group, prepared: Prepared, parts: list[Extended], status: str, bounded: bool
    ) -> Solved:
        """From parts of the times, one after another."""
        found = joined(parts)
        if prepared.coarse:  # what a solve has beyond long double is not that of the exact start
            found = replace(found, quad=None)
        return cls(prepared.translation, group.times, found, status, prepared.owners, bounded)


def certified(
    preparation: Preparation,
    group: Group,
    *,
    digits: float,
    time_limit: float,
    lacking: Callable[[Solved], NDArray[np.bool_]] | None = None,
    memory: Memory | None = None,
) -> Solved:
    """Solve the model of a group with certificates.

    Parameters
    ----------
    digits, time_limit
        As for `gradaudit.reference`.
    lacking
        For which estimated parameters (K,) a solve is not precise enough; one without any is
        returned, however many digits it has.
    memory
        Of what an earlier call for the group has solved.

    Raises
    ------
    ProblemError
        If the model cannot be read with these values, has no steady state where one is needed, or
        has something that cannot be certified.
    """
    started = time.perf_counter()

    def left() -> float:
        return max(time_limit - (time.perf_counter() - started), 1.0)

    prepared = preparation.prepared(group, time_limit=time_limit)
    if prepared.resting is not None:
        return Solved.of(group, prepared, [prepared.resting], "ok", True)
    parts: list[Extended] = []
    status = "ok"

    def lacking_columns(found: Extended) -> NDArray[np.bool_] | None:
        assert lacking is not None
        rest = [preparation.limit(group, time_limit=left())] if group.rests else []
        lacks = lacking(Solved.of(group, prepared, [found, *rest], status, True))
        return lacks[prepared.owners] & (prepared.owners >= 0) if lacks.any() else None

    if len(prepared.times):
        with told_of(group):
            result = reference(
                prepared.translation.model,
                prepared.times,
                digits=digits,
                time_limit=left(),
                lacking=None if lacking is None else lacking_columns,
                memory=memory,
            )
        assert result.extended is not None
        parts.append(result.extended)
        status = result.status
    if group.rests:
        parts.append(preparation.limit(group, time_limit=left()))
    return Solved.of(group, prepared, parts, status, True)
