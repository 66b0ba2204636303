"""Figures without a place of their own are shown at the end, whoever declares them."""

import pytest

from gradaudit.records.figure import Drawing
from gradaudit.report import further as module
from gradaudit.report.further import PLACED, Further, further


@pytest.fixture(autouse=True)
def _declared(monkeypatch):
    """A figure of each model, one of all models, and one that has a place."""

    def drawing(of, label, caption):
        return "module", Drawing(of=of, tables=(), label=label, category="", caption=caption)

    caption = "What ``rtol`` does to {{ snakemake.wildcards.model }}."
    drawings = {
        "steps": drawing("model", "steps of a solve", caption),
        "census": drawing("atlas", "numbers of everything", "All models."),
        "laws": drawing("atlas", "laws", "Laws."),
    }
    monkeypatch.setattr(module, "drawings", lambda: drawings)


def test_a_figure_of_a_model_has_its_name_in_title_and_caption():
    assert further({"steps_logistic": "image"}) == [
        Further("Steps of a solve: logistic", "What rtol does to logistic.", "image")
    ]


def test_a_figure_of_all_models_is_found_by_its_whole_name():
    assert further({"census": "image", "census_logistic": "other"}) == [
        Further("Numbers of everything", "All models.", "image")
    ]


def test_figures_that_the_page_shows_by_name_are_not_repeated():
    assert "laws" in PLACED
    assert further({"laws": "image"}) == []


def test_files_that_nobody_declares_are_left_out():
    assert further({"unknown": "image", "stepsize": "image"}) == []
