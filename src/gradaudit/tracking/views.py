"""Prepared views of an experiment: what MLflow's user interface shows under "Views", and by a link.

A view is a tag of the experiment, in the form in which the user interface saves views itself
(MLflow 3.13 and later; older ones ignore the tag). Its `state` says which runs are listed, in which
order and columns, and which charts are drawn.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mlflow import MlflowClient

PREFIX = "mlflow.sharedViewState."
"""Of the tag of a view; its id follows."""

_CREATED = 1_700_000_000_000
"""A time in milliseconds that never changes, so that the tag of an unchanged view does not."""


@dataclass(frozen=True, kw_only=True)
class View:
    """One view of the runs.

    Attributes
    ----------
    id, name
        Of the link, and what the user interface calls it.
    about
        What it answers, in one line.
    runs
        MLflow's filter.
    order, ascending
        Column by which the runs are sorted, and how.
    columns
        Which columns a table has, in this order.
    charts
        Cards, if it is a page of charts.
    """

    id: str
    name: str
    about: str
    runs: str
    order: str
    ascending: bool = True
    columns: tuple[str, ...] = ()
    charts: tuple[Mapping[str, Any], ...] = ()

    @property
    def mode(self) -> Literal["TABLE", "CHART"]:
        """How the page shows the runs."""
        return "CHART" if self.charts else "TABLE"

    @property
    def tag(self) -> tuple[str, str]:
        """Key and value of the tag that holds it."""
        section = _identity(self.id)
        state: dict[str, Any] = {
            "searchFilter": self.runs,
            "orderByKey": self.order,
            "orderByAsc": self.ascending,
            "selectedColumns": list(self.columns),
            "columnOrder": list(self.columns),
            "columnWidths": {name: _WIDTHS[name] for name in self.columns if name in _WIDTHS},
            "runsHiddenMode": "FIRST_20_RUNS",
            "autoRefreshEnabled": False,
            "viewMaximized": True,
        }
        if self.charts:
            state["compareRunSections"] = [
                {
                    "uuid": section,
                    "name": self.name,
                    "display": True,
                    "isReordered": True,
                    "columns": min(len(self.charts), 2),
                    "cardHeight": 420,
                }
            ]
            state["isAccordionReordered"] = True
            state["compareRunCharts"] = [
                {**chart, "uuid": _identity(f"{self.id}/{k}"), "metricSectionId": section}
                for k, chart in enumerate(self.charts)
            ]
        value = {"name": self.name, "createdAt": _CREATED, "updatedAt": _CREATED}
        return PREFIX + self.id, json.dumps({**value, "state": json.dumps(state)})

    def page(self, experiment: str) -> str:
        """The part of the address behind the server's."""
        return (
            f"#/experiments/{experiment}/runs?workflowType=machine_learning"
            f"&viewStateShareKey={self.id}&compareRunsMode={self.mode}"
        )


def tag(name: str) -> str:
    """A tag as a column."""
    return f"tags.`{name}`"


def metric(name: str) -> str:
    """A metric as a column."""
    return f"metrics.`{name}`"


def lines(name: str, title: str, *, scale: str = "linear") -> dict[str, Any]:
    """A card: a metric over the tolerances, one line per run.

    Of a logarithmic axis the user interface shows what is small as 0.
    """
    return {
        "type": "LINE",
        "metricKey": name,
        "selectedMetricKeys": [name],
        "displayName": title,
        "runsCountToCompare": 20,
        "scaleType": scale,
        "xAxisKey": "step",
        "xAxisScaleType": "linear",
        "lineSmoothness": 0,
        "displayPoints": True,
        "useGlobalXaxisKey": False,
        "useGlobalLineSmoothing": False,
        "deleted": False,
        "isGenerated": False,
    }


def points(x: str, y: str, title: str) -> dict[str, Any]:
    """A card: one metric over another, one point a run."""
    return {
        "type": "SCATTER",
        "xaxis": {"key": x, "type": "METRIC"},
        "yaxis": {"key": y, "type": "METRIC"},
        "displayName": title,
        "runsCountToCompare": 100,
        "deleted": False,
        "isGenerated": False,
    }


_LONG = ("best", "mechanism", "worst_functional", "status")
_WIDTHS = {**dict.fromkeys(map(tag, _LONG), 320), tag("model"): 230}
"""Pixels of columns with long texts."""

PROBLEMS = "problems"
"""The view of a study with estimation problems."""

VIEWS = (
    View(
        id="models",
        name="Models by verdict",
        about="which models are hard, and the cheapest setting that is right for each",
        runs="tags.kind = 'model'",
        order=tag("verdict"),
        ascending=False,  # horrible, good, bad: the alphabet is all that there is
        columns=(
            tag("model"),  # whole, where the name of the run is cut
            tag("verdict"),
            tag("best"),
            tag("mechanism"),
            metric("ladders_good"),
            metric("ladders_bad"),
            metric("ladders_horrible"),
            metric("reference_digits"),
        ),
    ),
    View(
        id="settings",
        name="Settings by model",
        about="from which tolerance on each solver and method is right",
        runs="tags.kind = 'ladder'",
        order=tag("model"),
        columns=(
            tag("model"),
            tag("solver"),  # the name of the run is cut
            tag("method"),
            tag("verdict"),
            tag("needed_rtol"),
            tag("worst_functional"),
            tag("best"),
            metric("at_1e-6/digits"),
            metric("at_1e-6/steps"),
            metric("failed_solves"),
            tag("status"),
        ),
    ),
    View(
        id="errors",
        name="Digits against tolerance",
        about="correct digits of the worst gradient; the metric rtol says which step is which",
        runs="tags.kind = 'ladder' AND tags.model = '{model}'",
        order=tag("method"),
        charts=(
            lines("digits", "Correct digits of the worst gradient"),
            lines("state_digits", "Correct digits of the states"),
            lines("steps", "Steps", scale="log"),
        ),
    ),
    View(
        id="cost",
        name="Cost against error",
        about="digits of the gradient and seconds of the solve, at rtol 1e-6",
        runs="tags.kind = 'ladder' AND tags.model = '{model}'",
        order=tag("method"),
        charts=(points("at_1e-6/seconds", "at_1e-6/digits", "Digits at rtol 1e-6, by seconds"),),
    ),
    View(
        id=PROBLEMS,
        name="Estimation problems",
        about="how wrong the gradient of each log-likelihood is by forward AD at 1e-6",
        runs="tags.kind = 'problem'",
        order=metric("at_1e-6/error"),
        ascending=False,
        columns=(
            tag("verdict"),
            tag("best"),
            metric("at_1e-6/error"),
            metric("reference_digits"),
            metric("log_likelihood"),
            metric("gradient_norm"),
            tag("status"),
        ),
    ),
)
"""In the order in which they are shown; `{model}` in a filter is a model of the study."""


def views_of(models: list[str], *, problems: bool = False) -> list[View]:
    """The views of a study that have runs; those of one model take the first of `models`."""
    found = []
    for view in VIEWS:
        if view.id == PROBLEMS:
            found += [view] * problems
        elif models:
            found.append(_for_model(view, models[0]) if "{model}" in view.runs else view)
    return found


def _for_model(view: View, model: str) -> View:
    changes = {"name": f"{view.name}: {model}", "runs": view.runs.format(model=model)}
    return View(**{**view.__dict__, **changes})


def save_views(
    client: MlflowClient, experiment: str, models: list[str], *, problems: bool = False
) -> dict[str, str]:
    """Set the tags of all views that are not as they should be.

    Returns
    -------
    dict
        Name of every view to its page, see `View.page`.
    """
    present = client.get_experiment(experiment).tags
    views = views_of(models, problems=problems)
    for key, value in (view.tag for view in views):
        if present.get(key) != value:
            client.set_experiment_tag(experiment, key, value)
    return {view.name: view.page(experiment) for view in views}


def _identity(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"gradaudit/view/{name}").hex
