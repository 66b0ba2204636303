"""Section of the estimation problems among the models."""

from __future__ import annotations

from typing import Annotated

from gradaudit.pipeline.config.fields import Names, Section, key

_PROBLEM = ("problem",)


class Problems(Section):
    """How the gradient of the log-likelihood of an estimation problem is audited.

    Tolerances, their factor and the largest number of steps are those of the models; the file of a
    problem says the rest.
    """

    solvers: Annotated[Names, key("solvers, as they are", read_by=_PROBLEM, min_length=1)] = [
        "tsit5",
        "kvaerno5",
    ]
    methods: Annotated[
        Names,
        key(
            "how the gradient is computed; `saltation` is added where events may happen",
            read_by=_PROBLEM,
            min_length=1,
        ),
    ] = ["forward_ad", "forward_sensitivity"]
    certified_digits: Annotated[
        float,
        key(
            "digits to be certified for every entry of the gradient",
            unit="decimal digits",
            read_by=_PROBLEM,
            gt=0,
            le=15,
        ),
    ] = 10
    certified_s: Annotated[
        float,
        key(
            "time for the certified gradient of one problem; what is certified by then is kept",
            unit="s",
            read_by=_PROBLEM,
            gt=0,
        ),
    ] = 300
    table_s: Annotated[
        float,
        key(
            "time for all other gradients of one problem; tolerances are left out if there are "
            "too many conditions, but not that of forward AD nearest to 1e-6",
            unit="s",
            read_by=_PROBLEM,
            gt=0,
        ),
    ] = 300
