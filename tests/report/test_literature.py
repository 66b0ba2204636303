"""The bibliography is whole, and what it says of the data follows the data."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from gradaudit.analysis.functional_ranking import ranking
from gradaudit.analysis.regimes import regimes
from gradaudit.analysis.remedies import remedies
from gradaudit.analysis.scaling_laws import laws
from gradaudit.analysis.verdicts import ladders as ladders_of
from gradaudit.report import literature
from gradaudit.report.bibliography import ENTRIES
from gradaudit.report.checklist import checklist

ROOT = Path(__file__).parents[2]
ANCHORS = {"figure-laws", "figure-remedies"}


@pytest.fixture
def facts(audits):
    def make(*ladders, **law):
        table = audits(*(ladders or [{}] * 6), **law)
        table = table.assign(order=1.0)
        return literature.Facts(
            audits=table,
            verdicts=ladders_of(table),
            laws=laws(table),
            ranking=ranking(table),
            remedies=remedies(table),
            regimes=regimes(table),
        )

    return make


def seen(found, key):
    return next(r for r in found if r.entry.key == key)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.key)
def test_an_entry_is_complete(entry):
    assert all((entry.authors, entry.title, entry.venue))
    assert 1980 < entry.year < 2027
    assert entry.says.endswith(".")
    assert entry.evidence or entry.test
    assert not entry.test or (ROOT / entry.test).is_file()


def test_keys_are_unique_and_evidence_is_known():
    assert len({entry.key for entry in ENTRIES}) == len(ENTRIES)
    assert {entry.evidence for entry in ENTRIES} - {""} <= set(literature._EVIDENCE)


def test_evidence_follows_the_data(facts):
    one = seen(literature.references(facts(power=1.0), ANCHORS), "walther2007")
    assert one.anchor == "figure-laws"
    assert "the same order" in one.seen
    half = seen(literature.references(facts(power=0.5), ANCHORS), "walther2007")
    assert "not quite the same order" in half.seen


def test_models_that_do_not_converge_are_counted(facts):
    rest = {"model": "rest", "mechanism": "uncontrolled tangent at an equilibrium",
            "error": 0.9, "converging": False}  # fmt: skip
    good = {**rest, "model": "other", "error": 1e-9, "converging": True}
    both = seen(literature.references(facts(rest, good), ANCHORS), "sapienza2024")
    assert "1 of 2 models that stand still" in both.seen
    alone = seen(literature.references(facts(rest), ANCHORS), "sapienza2024")
    assert "1 of 1 model that" in alone.seen
    assert both.anchor == ""  # the page has no such figure


def test_what_is_not_in_the_data_is_said(facts):
    found = literature.references(facts(), ANCHORS)
    assert (
        "no data for it; a test of the project shows it (tests/sensitivity/test_hybrid_run.py)"
        in seen(found, "kong2024").seen
    )
    assert literature.answer(found, facts())[0].startswith(f"Of {len(ENTRIES)} works")


def test_nothing_was_audited(facts):
    given = facts()
    empty = literature.Facts(
        **{name: getattr(given, name).iloc[:0] for name in given.__dataclass_fields__}
    )
    assert all(r.anchor == "" for r in literature.references(empty, ANCHORS))
    nothing = {name: getattr(empty, name) for name in ("laws", "ranking", "remedies")}
    assert checklist(**nothing, good=1e-2) == []


def test_the_check_list_refers_to_numbers(facts):
    rest = {"model": "rest", "mechanism": "uncontrolled tangent at an equilibrium",
            "error": 0.9, "converging": False}  # fmt: skip
    mended = {**rest, "method": "forward_sensitivity", "error": 1e-9, "converging": True,
              "functional": "terminal_0"}  # fmt: skip
    given = facts({**rest, "functional": "terminal_0"}, mended, *[{}] * 6)
    items = checklist(laws=given.laws, ranking=given.ranking, remedies=given.remedies, good=1e-2)
    whole = " ".join(f"{item.do} {item.why}" for item in items)
    assert "Full control corrects 1 of 1, a tighter tolerance 0 of 1" in whole
    assert "reaches an error of 0.01 at rtol" in whole
    assert "1 of 1 gradient not good at the tolerance nearest to 1e-6 has the same error" in whole
    assert isinstance(given.remedies, pd.DataFrame)


def test_the_answer_says_how_many_of_those_compared_agree(facts):
    given = facts(power=1.0)
    found = literature.references(given, ANCHORS)
    assert seen(found, "walther2007").agrees is True
    assert seen(found, "walther2007").seen.startswith("It agrees. ")
    assert seen(found, "kong2024").agrees is None
    assert literature.answer(found, given)[0].count(" agree.") == 1
    half = facts(power=0.5)
    found = literature.references(half, ANCHORS)
    assert seen(found, "walther2007").agrees is False
    compared, _ = literature.compared(found, half)
    agree, decided = literature.agreement(compared).split(" of ")[0], len(compared)
    assert f"{agree} of {decided} agree" in literature.answer(found, half)[0]


def test_agreement_counts_what_is_decided(facts):
    found = literature.references(facts(power=1.0), ANCHORS)
    yes = seen(found, "walther2007")
    no, open_ = (literature.Reference(entry=yes.entry, seen="", anchor="", agrees=a)
                 for a in (False, None))  # fmt: skip
    assert literature.agreement([yes, yes]) == "all 2 agree"
    assert literature.agreement([yes]) == "it agrees"
    assert literature.agreement([yes, no]) == "1 of 2 agree"
    assert literature.agreement([yes, open_]).startswith("1 of 1 agree, and for the others")
    assert literature.agreement([open_]) == "the data decide none of them"


def test_of_one_mechanism_no_error_is_the_largest(facts):
    given = facts(*[{"mechanism": "linear amplification"}] * 6, power=1.0)
    text = seen(literature.references(given, ANCHORS), "metz2021").seen
    assert "up to" not in text
    assert text.startswith("Where perturbations grow, the error of the gradient is ")


def test_amplification_agrees_where_its_error_is_above_that_of_other_mechanisms(facts):
    def said(ratio):
        names = ["linear amplification", "smooth dissipative", "all"]
        fitted = given.laws.iloc[[0] * 3].assign(mechanism=names, ratio=[ratio, 10.0, 1.0])
        same = replace(given, laws=fitted.assign(law="state_error", status="ok"))
        return seen(literature.references(same, ANCHORS), "metz2021")

    given = facts(power=1.0)

    assert said(30.0).agrees is True
    assert said(4.0).agrees is False
    assert said(11.0).agrees is said(9.0).agrees is None
    assert "elsewhere 10 times, the median over 1: the data show no difference" in said(9.0).seen


def test_what_the_data_cannot_refute_is_not_said_to_agree(facts):
    found = literature.references(facts(), ANCHORS)
    assert {r.entry.key for r in found if r.agrees is not None} <= {
        entry.key for entry in ENTRIES if entry.decided
    }
    assert not any(r.seen.startswith("It ") for r in found if not r.entry.decided)
