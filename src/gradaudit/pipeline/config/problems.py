"""Section of the estimation problems among the models."""

from __future__ import annotations

from typing import Annotated

from gradaudit.pipeline.config.fields import Names, Section, Whole, key

_PROBLEM, _CERTIFICATE, _FIT = ("problem",), ("certificate",), ("fit",)
_CHECKERS = ("checkers",)
_AUDITED = ("problem", "fisher")


class Problems(Section):
    """How the gradient of the log-likelihood of an estimation problem is audited.

    Tolerances, their factor and the largest number of steps are those of the models; the file of a
    problem says the rest.
    """

    folder: Annotated[
        str,
        key("a folder in which problems are looked for at any depth; they join the models"),
    ] = ""
    solvers: Annotated[
        Names,
        key(
            "solvers, as they are; fits are by the first one that has a result at the nominal "
            "parameters",
            read_by=(*_AUDITED, *_FIT, *_CHECKERS),
            min_length=1,
        ),
    ] = [
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
    tools: Annotated[
        Names,
        key(
            "common tools whose defaults are tried, of those in `gradaudit.records.tools`; one "
            "whose packages are not installed is left out",
            read_by=_PROBLEM,
        ),
    ] = []
    certified_digits: Annotated[
        float,
        key(
            "digits to be certified for every entry of the gradient",
            unit="decimal digits",
            read_by=_CERTIFICATE,
            gt=0,
            le=15,
        ),
    ] = 10
    certified_s: Annotated[
        float,
        key(
            "time for the certified gradient at one point; what is certified by then is kept",
            unit="s",
            read_by=_CERTIFICATE,
            gt=0,
        ),
    ] = 300
    drawn: Annotated[
        Whole,
        key(
            "points drawn uniformly within the bounds, beside the nominal one",
            read_by=_CERTIFICATE,
            ge=0,
        ),
    ] = 0
    seed: Annotated[
        Whole,
        key("of these points, and of the starts of fits", read_by=(*_CERTIFICATE, *_FIT), ge=0),
    ] = 1
    table_s: Annotated[
        float,
        key(
            "time for all other gradients of one problem; tolerances are left out if there are "
            "too many conditions, but not that of forward AD nearest to 1e-6; and as much for the "
            "Fisher information by all settings",
            unit="s",
            read_by=_AUDITED,
            gt=0,
        ),
    ] = 300
    fits: Annotated[
        Names,
        key(
            "estimation problems that are fitted, from the same starts with gradients of several "
            "settings: paths, keys of problems of the study, or `all` of these; `[]` for none"
        ),
    ] = []
    checked: Annotated[
        Names,
        key(
            "estimation problems whose gradients, right and wrong ones, are given to common "
            "checkers of gradients; as in `fits`"
        ),
    ] = []
    checker_s: Annotated[
        float, key("time of a checker on one gradient", unit="s", read_by=_CHECKERS, gt=0)
    ] = 60
    starts: Annotated[
        Whole, key("fits of one problem by each setting", unit="fits", read_by=_FIT, ge=1)
    ] = 10
    spread: Annotated[
        float,
        key(
            "standard deviation of the starts about the nominal parameters, on their scales",
            read_by=_FIT,
            gt=0,
        ),
    ] = 0.3
    iterations: Annotated[
        Whole, key("a fit takes no more", unit="iterations", read_by=_FIT, ge=1)
    ] = 100
    fit_s: Annotated[
        float,
        key(
            "time for all fits of one problem; fits that are not run are rows with a status",
            unit="s",
            read_by=_FIT,
            gt=0,
        ),
    ] = 600
