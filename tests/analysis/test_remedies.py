"""One thing is changed at a time, and its effect is what the audits say."""

import pandas as pd
import pytest

from gradaudit.analysis.regimes import regimes
from gradaudit.analysis.remedies import COLUMNS, REMEDIES, remedies, summary
from gradaudit.report import remedy_sentences, remedy_table

REST = {"model": "rest", "mechanism": "uncontrolled tangent at an equilibrium",
        "functional": "terminal_y", "regime": "horrible"}  # fmt: skip
STUCK = {"error": 0.9, "converging": False, "verdict": "horrible", "reason": "large_error"}


@pytest.fixture
def table(audits):
    """Forward AD is stuck; control, clipping and another functional mend it, the others do not."""
    drift = {"model": "cycle@t_end=200", "mechanism": "phase drift", "functional": "terminal_x"}
    return audits(
        {**REST, **STUCK},
        {**REST, "method": "forward_sensitivity", "work": 3e4},
        {**REST, **STUCK, "solver": "kvaerno5"},
        {**REST, **STUCK, "method": "saltation"},
        {**REST, "solver": "tsit5_clip"},
        {**REST, "functional": "time_average_y", "kind": "time_average"},
        {**REST, "functional": "trace_sse_same", "kind": "solver_target"},
        {**drift, "error": lambda rtol, state, error: 1e5 * rtol},
        {**drift, "model": "cycle@t_end=100"},
        {**drift, "model": "cycle@t_end=20"},
    )


def effect(table, model, remedy):
    rows = table[(table["model"] == model) & (table["remedy"] == remedy)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_every_remedy_has_a_row_for_every_baseline(table):
    found = remedies(table)
    assert list(found.columns) == COLUMNS
    assert set(found["remedy"]) == set(REMEDIES)
    assert len(found) == 2 * len(REMEDIES)  # rest by tsit5, the cycle at 200; not the implicit one
    assert set(found["solver"]) == {"tsit5"}


def test_effects_are_those_of_the_audits(table):
    found = remedies(table)
    tight = effect(found, "rest", "tolerance")
    assert tight["changed"] == "rtol 1e-9"
    assert tight["factor"] == pytest.approx(1.0)
    assert tight["verdict_after"] == "horrible"
    control = effect(found, "rest", "control")
    assert control["verdict_after"] == "good"
    assert control["factor"] == pytest.approx(0.9 / control["error_after"])
    assert control["cost"] == pytest.approx(3e4 / control["work_before"])
    assert effect(found, "rest", "implicit")["changed"] == "solver kvaerno5"
    assert effect(found, "rest", "saltation")["verdict_after"] == "horrible"
    assert effect(found, "rest", "clip")["changed"] == "solver tsit5_clip"
    # Not the sum of squares to the solver's own trace, however small its error.
    assert effect(found, "rest", "functional")["changed"] == "functional time_average_y"
    assert not effect(found, "rest", "window")["tried"]
    assert effect(found, "cycle@t_end=200", "window")["changed"] == "t_end 100"


def test_the_tightest_is_taken_where_the_ladder_ends(table):
    loose = table[table["rtol"] >= 1e-7]
    assert effect(remedies(loose), "rest", "tolerance")["changed"] == "rtol 1e-7"
    only = table[table["rtol"] == 1e-6]
    assert not effect(remedies(only), "rest", "tolerance")["tried"]


def test_a_harmful_setting_is_a_baseline_and_its_absence_a_remedy(audits):
    single = {"model": "m", "functional": "terminal_y", "base_solver": "tsit5"}
    given = audits(
        {**single, "variant": ""},
        {**single, **STUCK, "solver": "tsit5_float32", "variant": "dtype=float32"},
        {**single, "solver": "tsit5_equal", "variant": "steps=40"},
    )
    found = remedies(given)
    assert set(found["solver"]) == {"tsit5_float32"}
    assert effect(found, "m", "plain")["changed"] == "solver tsit5"
    assert effect(found, "m", "equal")["changed"] == "solver tsit5_equal"
    assert not effect(found, "m", "clip")["tried"]
    # The picture shows the setting that the mechanism is about, and no other.
    assert regimes(given)["horrible"].tolist() == [1]
    assert regimes(given)["ladders"].tolist() == [1]


def test_the_summary_counts(table):
    summed = summary(remedies(table)).set_index(["mechanism", "remedy"])
    mechanism = REST["mechanism"]
    assert summed.loc[(mechanism, "control"), "share"] == 1.0
    assert summed.loc[(mechanism, "tolerance"), "share"] == 0.0
    assert summed.loc[("all", "window"), "tried"] == 1
    assert summary(pd.DataFrame(columns=COLUMNS)).empty


def test_sentences_say_what_works_and_what_does_not(table):
    found = remedies(table)
    shown = remedy_table.by_mechanism(found)
    cells = {row[0].text: dict(zip(shown.heads, row, strict=True)) for row in shown.rows}
    rest = cells["uncontrolled tangent at an equilibrium"]
    assert (rest["full control"].text, rest["full control"].verdict) == ("1 of 1", "good")
    assert rest["full control"].note.startswith("work × ")
    assert (rest["tighter tolerance"].verdict, rest["tighter tolerance"].note) == ("horrible", "")
    answer = " ".join(remedy_sentences.answer(regimes(table), found))
    assert (
        "2 gradients of forward AD by explicit solvers, or in single precision, with dense "
        "output or with loose roots, are not good" in answer
    )
    assert "1 of those whose solve finished does not converge: a tighter tolerance" in answer
    mended = table.assign(verdict="good", ladder_verdict="good")
    healthy = " ".join(remedy_sentences.answer(regimes(mended), remedies(mended)))
    assert "nothing to correct" in healthy


def test_nothing_gives_sentences(table):
    empty = table.iloc[:0]
    assert remedies(empty).empty
    assert remedy_table.by_mechanism(remedies(empty)) is None
    text = remedy_sentences.answer(regimes(empty), remedies(empty))
    assert text[0] == "No gradient of forward AD was audited."


def test_factors_are_those_of_what_became_good_and_of_solves_that_ended(audits):
    """The work of a solve that failed says nothing of what the remedy costs."""
    other = {**REST, "functional": "time_average_y", "kind": "time_average"}
    given = audits(
        {**REST, **STUCK, "work": 100.0},
        {**REST, "method": "forward_sensitivity", "work": 200.0},
        {**other, **STUCK, "work": 1.0, "status": "max_steps"},
        {**other, "method": "forward_sensitivity", "work": 1e3},
    )
    found = remedies(given)
    costs = found[(found["remedy"] == "control")].set_index("functional")["cost"]
    assert costs["terminal_y"] == pytest.approx(2.0)
    assert pd.isna(costs["time_average_y"])
    every = summary(found).set_index(["mechanism", "remedy"]).loc[("all", "control")]
    assert every["good"] == 2
    assert every["cost"] == pytest.approx(2.0)


def test_a_tie_of_verdicts_is_not_mostly(audits):
    given = audits(
        {**REST, **STUCK, "ladder_verdict": "horrible"},
        {**REST, "functional": "time_average_y", "kind": "time_average", "ladder_verdict": "bad"},
    )
    said = remedy_sentences.answer(regimes(given), remedies(given))[0]
    assert "mostly" not in said
