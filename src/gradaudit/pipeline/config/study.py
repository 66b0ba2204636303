"""The whole configuration: what is computed, and how."""

from __future__ import annotations

from typing import Annotated, Any

from gradaudit.pipeline.config.experiments import Experiment, Sweep
from gradaudit.pipeline.config.fields import Names, Section, Text, Whole, key
from gradaudit.pipeline.config.judging import Atlas, Functionals, Verdict
from gradaudit.pipeline.config.limits import Limits
from gradaudit.pipeline.config.output import Figures, Report, Tracking
from gradaudit.pipeline.config.problems import Problems
from gradaudit.pipeline.config.solving import Entry, Observe, Reference, SolverEntry, Tolerances

SOLVES = (
    "simulate", "gradients", "experiment", "sweep", "problem", "fit", "fisher", "checkers",
)  # fmt: skip


class Study(Section):
    """Every key has a default; unknown keys are refused. Write 1.0e-6: 1e-6 is a text in YAML."""

    results: Annotated[Text, key("folder for everything that is written", read_by=("track",))] = (
        "results"
    )
    models: Annotated[
        Names,
        key(
            "library names (`gradaudit models`), or paths of `.py` files, of `.xml` and `.sbml` "
            "for SBML, or of `.yaml` for estimation problems in PEtab; the stem of the file is the "
            "key of the model. `name@axis=value` is the model at a setting of its axes, "
            "`name@axis` at every value that the model declares",
        ),
    ] = ["liu_neuron", "logistic"]
    solvers: Annotated[
        dict[str, Entry],
        key(
            "solvers by name, each with `{}` or with settings of its own, see below",
            read_by=("simulate", "gradients"),
            min_length=1,
        ),
    ] = {name: SolverEntry() for name in ("tsit5", "dopri8", "kvaerno5")}
    methods: Annotated[
        Names,
        key(
            "how the gradient is computed; `saltation` is for models with events or switches, and "
            "left out for others",
            read_by=("gradients",),
            min_length=1,
        ),
    ] = ["forward_ad", "forward_sensitivity", "dual_norm", "saltation"]
    estimate: Annotated[
        Names,
        key(
            "methods that carry an estimate of their own error along, at three times the cost",
            read_by=("gradients",),
        ),
    ] = ["forward_ad"]
    tolerances: Annotated[
        Tolerances,
        key("the series of relative tolerances", read_by=("simulate", "gradients", "problem")),
    ] = Tolerances()
    atol_factor: Annotated[
        float,
        key("absolute over relative tolerance", unit="unit of the state", read_by=SOLVES, gt=0),
    ] = 1e-3
    observe: Annotated[
        Observe,
        key(
            "how an observation time is reached: `step` (a step of the method from the grid point "
            "before it), `clip` (steps end there), `interpolant` (dense output)",
            read_by=("gradients",),
        ),
    ] = "step"
    max_steps: Annotated[
        Whole,
        key(
            "a solve that needs more is given up, with the status `max_steps`",
            unit="steps",
            read_by=SOLVES,
            ge=1,
        ),
    ] = 500_000
    reference: Annotated[Reference, key("the certified reference")] = Reference()
    limits: Annotated[Limits, key("times after which something is given up")] = Limits()
    functionals: Annotated[
        Functionals,
        key(
            "functionals of the solution; they are applied to stored arrays", read_by=("evaluate",)
        ),
    ] = Functionals()
    verdict: Annotated[Verdict, key("what the words mean", read_by=("evaluate", "problem"))] = (
        Verdict()
    )
    problems: Annotated[Problems, key("the estimation problems among the models")] = Problems()
    experiment: Annotated[Experiment, key("the published experiment")] = Experiment()
    sweep: Annotated[Sweep, key("a model along its first parameter")] = Sweep()
    atlas: Annotated[Atlas, key("every model together")] = Atlas()
    figures: Annotated[Figures, key("how figures look")] = Figures()
    report: Annotated[Report, key("the report")] = Report()
    tracking: Annotated[Tracking, key("where MLflow keeps the runs")] = Tracking()

    def plain(self) -> dict[str, Any]:
        """All keys as dicts, lists, texts and numbers; an entry of `solvers` has those it sets."""
        solvers = {name: entry.own() for name, entry in self.solvers.items()}
        return {**self.model_dump(), "solvers": solvers}
