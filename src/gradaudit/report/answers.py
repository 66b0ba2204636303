"""The answers to the four questions, the check-list and the bibliography, as plain data."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import pandas as pd

from gradaudit.report import (
    indicator_sentences,
    law_sentences,
    literature,
    ranking_sentences,
    remedy_sentences,
    remedy_table,
)
from gradaudit.report.checklist import Item, checklist
from gradaudit.report.findings import findings
from gradaudit.report.first_screen import Card, cards
from gradaudit.report.literature import Facts, Reference
from gradaudit.report.tables import Table

SECTIONS = (
    "answer",
    "q1",
    "q2",
    "q3",
    "q4",
    "checklist",
    "bibliography",
    "map",
    "time",
    "indicator",
)
"""Places that every page has."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question, its answer in sentences, and the figures that show it.

    The answer on published estimation problems stands beside that on models.
    """

    key: str
    text: str
    sentences: Sequence[str]
    figures: Sequence[str]
    table: Table | None = None
    on_problems: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Answers:
    """All that the page says before it comes to single models."""

    cards: Sequence[Card]
    overview: Sequence[str]
    questions: Sequence[Question]
    findings: Mapping[str, str]
    checklist: Sequence[Item]
    references: Sequence[Reference]
    linked: Collection[str]


def answers(
    facts: Facts,
    *,
    skill: pd.DataFrame | None,
    good: float,
    overview: Sequence[str],
    figures: Collection[str],
    on_problems: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Answers:
    """From the tables of the atlas; `figures` are those that the page shows.

    Parameters
    ----------
    facts
        Tables of stage atlas.
    skill
        The skill of the indicators, or None.
    good
        The threshold of a good gradient.
    """
    linked = {*SECTIONS, *(f"figure-{name}" for name in figures)}
    references = literature.references(facts, linked)
    questions = [
        Question(
            key="q1",
            text="How does the accuracy of the gradient depend on stiffness and on the "
            "accuracy of the "
            "solution?",
            sentences=law_sentences.answer(facts.laws, facts.regimes),
            figures=["laws", "laws_axes"],
        ),
        Question(
            key="q2",
            text="Which functions of the solution have accurate gradients, and which do not?",
            sentences=ranking_sentences.answer(facts.ranking),
            figures=["ranking"],
        ),
        Question(
            key="q3",
            text="Where does forward AD fail, what fixes it, and can the failure be detected "
            "without "
            "a reference?",
            sentences=[
                *remedy_sentences.answer(facts.regimes, facts.remedies),
                *indicator_sentences.answer(skill),
            ],
            table=remedy_table.by_mechanism(facts.remedies),
            figures=["remedies", "skill", "trust"],
        ),
        Question(
            key="q4",
            text="What does the literature state, and which statements do these data confirm?",
            sentences=literature.answer(references, facts),
            figures=[],
        ),
    ]
    items = checklist(laws=facts.laws, ranking=facts.ranking, remedies=facts.remedies, good=good)
    return Answers(
        cards=cards(facts, references, good=good),
        overview=overview,
        questions=[replace(own, on_problems=on_problems.get(own.key, ())) for own in questions],
        findings=findings(facts, skill),
        checklist=items,
        references=references,
        linked=linked,
    )
