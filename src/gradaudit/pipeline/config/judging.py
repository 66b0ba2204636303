"""Sections of what stored arrays are judged by: functionals, verdict, atlas."""

from __future__ import annotations

from typing import Annotated

from gradaudit.pipeline.config.fields import FIGURES, Fraction, Names, Section, Whole, key


class Functionals(Section):
    """Functionals of the solution; they are applied to stored arrays."""

    kinds: Annotated[
        Names,
        key(
            "families of functionals, listed below; of each one those that are defined for the "
            "model",
            shown="all but `solver_target`",
            min_length=1,
        ),
    ] = [
        "terminal",
        "trace_sse",
        "log_likelihood",
        "time_average",
        "maximum",
        "spectrum",
        "soft_count",
        "phase_aligned",
        "event_time",
        "event_value",
        "event_interval",
        "event_phase",
        "event_count",
    ]
    noise: Annotated[
        float, key("standard deviation of noisy data", unit="range of the state", ge=0)
    ] = 0.05
    seed: Annotated[Whole, key("seed of that noise", ge=0)] = 1


class Verdict(Section):
    """What the words good, bad and horrible mean."""

    good: Annotated[
        Fraction,
        key("errors up to this are good", unit="1", read_by=("trust", *FIGURES, "report")),
    ] = 1e-2
    horrible: Annotated[
        Fraction, key("errors above this are horrible", unit="1", read_by=(*FIGURES, "report"))
    ] = 0.5
    cancellation: Annotated[
        Fraction,
        key("a gradient below this fraction of its natural scale is taken for zero", unit="1"),
    ] = 1e-9
    minimum_order: Annotated[
        float,
        key(
            "errors that fall slower than the tolerance to this power do not converge",
            unit="1",
            ge=0,
        ),
    ] = 0.25
    floor: Annotated[
        Fraction, key("errors below this are rounding, in double precision", unit="1")
    ] = 1e-11
    stalled: Annotated[
        Fraction, key("errors that stop falling above this do not converge", unit="1")
    ] = 1e-4


class Atlas(Section):
    """Every model together."""

    accuracies: Annotated[
        list[Fraction],
        key(
            "errors for which the cheapest setting is looked for",
            unit="1",
            read_by=("atlas",),
            min_length=1,
        ),
    ] = [1e-2, 1e-4, 1e-6]
