"""Sections of the two experiments: the published one, and a model along a parameter."""

from __future__ import annotations

from typing import Annotated, Literal

from gradaudit.pipeline.config.fields import Fraction, Names, Section, Text, Tolerance, Whole, key
from gradaudit.pipeline.config.solving import Observe

_EXPERIMENT = ("experiment",)
_SWEEP = ("sweep",)


class Experiment(Section):
    """The published experiment, a sum of squares to the solver's own trace."""

    models: Annotated[Names, key("models to run it on; `[]` for none")] = ["liu_neuron"]
    solver: Annotated[Text, key("the solver", read_by=_EXPERIMENT)] = "tsit5"
    stepping: Annotated[
        Literal["diffrax", "sciml"],
        key("whose rules choose the steps: `diffrax` or `sciml`", read_by=_EXPERIMENT),
    ] = "sciml"
    observe: Annotated[
        Observe,
        key("how the time points of the trace are reached, as above", read_by=_EXPERIMENT),
    ] = "interpolant"
    published_norms: Annotated[
        dict[str, Fraction],
        key(
            "norm of the published gradient by model, marked in the figure",
            unit="loss over parameter",
            read_by=("figures_experiment", "report"),
        ),
    ] = {"liu_neuron": 1.45e6}
    tolerances: Annotated[
        list[Tolerance],
        key(
            "relative tolerances, loosest first",
            unit="1",
            read_by=_EXPERIMENT,
            shown="1.0e-3 to 1.0e-9",
            min_length=1,
        ),
    ] = [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9]


class Sweep(Section):
    """A model along its first parameter, where the step controller is not smooth."""

    models: Annotated[Names, key("models to sweep; `[]` for none")] = []
    solver: Annotated[Text, key("the solver", read_by=_SWEEP)] = "tsit5"
    rtol: Annotated[Tolerance, key("its relative tolerance", unit="1", read_by=_SWEEP)] = 1e-3
    points: Annotated[
        Whole,
        key(
            "values of the parameter; an odd number has the nominal value among them",
            unit="values",
            read_by=_SWEEP,
            ge=3,
        ),
    ] = 401
    span: Annotated[
        float,
        key(
            "how far to either side of the nominal value, over that value",
            unit="1",
            read_by=_SWEEP,
            gt=0,
            le=1,
        ),
    ] = 0.1
    steps: Annotated[
        list[Fraction],
        key(
            "steps of difference quotients, over the nominal value",
            unit="1",
            read_by=_SWEEP,
            min_length=1,
        ),
    ] = [1e-5, 1e-3]
