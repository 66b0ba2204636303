"""The four questions, with answers and figures from the tables of the atlas."""

import pytest

from gradaudit.analysis.functional_ranking import ranking
from gradaudit.analysis.regimes import regimes
from gradaudit.analysis.remedies import remedies
from gradaudit.analysis.scaling_laws import laws
from gradaudit.analysis.verdicts import ladders
from gradaudit.report.answers import SECTIONS, answers
from gradaudit.report.literature import Facts


@pytest.fixture
def answered(audits):
    table = audits(*[{}] * 6).assign(order=1.0)
    facts = Facts(
        audits=table,
        verdicts=ladders(table),
        laws=laws(table),
        ranking=ranking(table),
        remedies=remedies(table),
        regimes=regimes(table),
    )
    return answers(facts, skill=None, good=1e-2, overview=["All."], figures=["laws"])


def test_every_question_is_answered(answered):
    assert [question.key for question in answered.questions] == ["q1", "q2", "q3", "q4"]
    assert all(question.text.endswith("?") for question in answered.questions)
    assert all(question.sentences for question in answered.questions)
    assert answered.overview == ["All."]


def test_places_of_the_page_are_its_sections_and_the_figures_it_shows(answered):
    assert answered.linked == {*SECTIONS, "figure-laws"}
    assert {question.key for question in answered.questions} <= set(SECTIONS)


def test_the_literature_refers_to_no_figure_that_is_not_shown(answered):
    anchors = {reference.anchor for reference in answered.references}
    assert "figure-laws" in anchors
    assert anchors - {""} <= answered.linked
