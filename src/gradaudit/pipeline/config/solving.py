"""Sections of what is solved: solvers, tolerances, the reference."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict

from gradaudit.pipeline.config.fields import Names, Section, Text, Tolerance, Whole, key

Observe = Literal["step", "clip", "interpolant"]
_REFERENCE = ("reference",)


class Tolerances(Section):
    """The series of relative tolerances."""

    loosest: Annotated[Tolerance, key("where it begins", unit="1")] = 1e-3
    tightest: Annotated[Tolerance, key("where it ends", unit="1")] = 1e-12
    per_decade: Annotated[Whole, key("tolerances per factor of ten", unit="1", ge=1, le=10)] = 1


class OwnTolerances(Section):
    """What a solver changes of the tolerance series."""

    loosest: Annotated[Tolerance | None, key("where it begins", unit="1")] = None
    tightest: Annotated[Tolerance | None, key("where it ends", unit="1")] = None
    per_decade: Annotated[
        Whole | None, key("tolerances per factor of ten", unit="1", ge=1, le=10)
    ] = None


class SolverEntry(Section):
    """One entry of `solvers`: what it does otherwise than the rest."""

    model_config = ConfigDict(json_schema_extra={"type": ["object", "null"]})

    solver: Annotated[
        Text | None, key("the solver that it stands for, where its name is not that of a solver")
    ] = None
    models: Annotated[
        Names | None,
        key("the models that it is for, as in `models`; by default all", min_length=1),
    ] = None
    tolerances: Annotated[
        OwnTolerances | None,
        key("`loosest`, `tightest` or `per_decade`, in place of the general ones"),
    ] = None
    methods: Annotated[Names | None, key("in place of the general `methods`", min_length=1)] = None
    estimate: Annotated[Names | None, key("in place of the general `estimate`")] = None
    observe: Annotated[Observe | None, key("in place of the general `observe`")] = None
    dtype: Annotated[
        Literal["float64", "float32"] | None,
        key("precision of the solves: `float64` (default) or `float32`"),
    ] = None
    pid: Annotated[
        list[float] | None,
        key(
            "proportional, integral and derivative coefficient of the step controller",
            unit="1",
            min_length=3,
            max_length=3,
        ),
    ] = None
    root_tolerance: Annotated[
        float | None,
        key(
            "tolerances of the root finder of an implicit solver, over those of the solve",
            unit="1",
            gt=0,
        ),
    ] = None
    steps: Annotated[
        Whole | None,
        key(
            "equal steps in place of adaptive ones: how many at the loosest tolerance; at others "
            "so many that a method of its order gains as much accuracy as the tolerance is "
            "tightened",
            unit="steps",
            ge=1,
        ),
    ] = None

    def own(self) -> dict[str, Any]:
        """The keys that the entry sets."""
        return self.model_dump(exclude_none=True)


def _entry(value: Any) -> Any:
    """An entry of which nothing is written is one without settings of its own."""
    return {} if value is None else value


Entry = Annotated[SolverEntry, BeforeValidator(_entry)]


class Reference(Section):
    """The certified reference."""

    digits: Annotated[
        float,
        key(
            "digits to be certified for every sensitivity",
            unit="decimal digits",
            read_by=_REFERENCE,
            gt=0,
            le=30,
        ),
    ] = 12
    negligible: Annotated[
        float,
        key(
            "entries below this fraction of their largest value so far need no digits of their own",
            unit="1",
            read_by=_REFERENCE,
            gt=0,
            lt=1,
        ),
    ] = 1e-3
    time_limit_s: Annotated[
        float,
        key(
            "time for one model; what is certified by then is kept",
            unit="s",
            read_by=_REFERENCE,
            gt=0,
        ),
    ] = 600
    proof: Annotated[
        bool,
        key(
            "whether to enclose states and sensitivities with a validated integrator, too, by the "
            "extra `proof`; it may take `time_limit_s` once more",
            read_by=_REFERENCE,
        ),
    ] = False
