"""Prepared views: what their tags hold, and that they are kept."""

import json

import pytest

from gradaudit.tracking.views import PREFIX, VIEWS, save_views, views_of


class Store:
    """What `save_views` needs of a client."""

    def __init__(self):
        self.tags, self.written = {}, []

    def get_experiment(self, experiment):
        return self

    def set_experiment_tag(self, experiment, key, value):
        self.tags[key] = value
        self.written.append(key)


@pytest.mark.parametrize(
    "view", views_of(["neuron", "logistic"], problems=True), ids=lambda view: view.id
)
def test_a_view_is_stored_as_the_user_interface_stores_them(view):
    key, value = view.tag
    assert key == PREFIX + view.id
    saved = json.loads(value)
    assert {"name", "createdAt", "updatedAt", "state"} == set(saved)
    state = json.loads(saved["state"])
    assert "{model}" not in state["searchFilter"]
    assert ("compareRunCharts" in state) == (view.mode == "CHART")
    assert len(value) < 5000  # of a tag


def test_views_of_one_model_take_the_first():
    assert [view.name for view in views_of(["neuron", "logistic"])][2] == (
        "Digits against tolerance: neuron"
    )
    assert views_of([]) == []  # there are no runs that they would list


def test_there_is_a_view_of_problems_where_there_are_any():
    assert "problems" not in [view.id for view in views_of(["neuron"])]
    assert views_of([], problems=True)[-1].id == "problems"


def test_tags_are_written_where_they_differ():
    store = Store()
    pages = save_views(store, "7", ["neuron"], problems=True)
    assert len(store.written) == len(pages) == len(VIEWS)
    assert pages["Models by verdict"] == (
        "#/experiments/7/runs?workflowType=machine_learning&viewStateShareKey=models"
        "&compareRunsMode=TABLE"
    )
    save_views(store, "7", ["neuron"], problems=True)
    assert len(store.written) == len(VIEWS)
    store.tags[PREFIX + "models"] = "damaged"
    save_views(store, "7", ["neuron"], problems=True)
    assert store.written[-1] == PREFIX + "models"
