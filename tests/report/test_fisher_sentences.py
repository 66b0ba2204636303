"""The chapter on the Fisher information, from made-up tables."""

from __future__ import annotations

import math

import pandas as pd

from gradaudit.report.fisher_sentences import chapter

SETTINGS = (("forward_ad", 1e-3), ("forward_ad", 1e-6), ("forward_sensitivity", 1e-6))


def made_up(name: str, errors, *, solver="tsit5", **changes) -> pd.DataFrame:
    """Errors of standard errors by setting; those of eigenvalues are twice as large."""
    rows = [
        {
            "problem": name,
            "solver": solver,
            "method": method,
            "rtol": rtol,
            "status": "ok",
            "parameters": ["a", "b"],
            "reference_status": "ok",
            "reference_resolved": 2,
            "worst_standard_error": error,
            "worst_eigenvalue": 2.0 * error,
            "condition_error": 3.0 * error,
            "resolved": 2,
            "compared": 5,
            "held": 5,
            "bars_hold": True,
        }
        for (method, rtol), error in zip(SETTINGS, errors, strict=True)
    ]
    return pd.DataFrame(rows).assign(**changes)


RIGHT = made_up("decay", [1e-3, 1e-6, 1e-6])
WRONG = made_up("immune", [0.7, 0.2, 1e-3])


def test_without_tables_there_is_no_chapter():
    assert chapter([], 1e-2) == {}


def test_sentences_count_what_is_right_and_name_the_worst():
    sentences = chapter([RIGHT, WRONG], 1e-2)["sentences"]
    assert sentences[:3] == [
        "Forward AD at 1e-3 gives right standard errors in 1 of 2 problems; the largest relative "
        "error is 0.7, in immune.",
        "Forward AD at 1e-6 gives right standard errors in 1 of 2 problems; the largest relative "
        "error is 0.2, in immune.",
        "The standard errors by full control at 1e-6 are right in every problem with a result.",
    ]
    assert "at most 1e-2" in sentences[3]
    assert sentences[4:] == [
        "The largest relative error of an eigenvalue is 1.4, in immune by forward AD at 1e-3.",
        "The estimated error bars contain every certified value in all 6 settings.",
    ]


def test_of_several_solvers_the_most_accurate_one_counts():
    lost = made_up("immune", [math.nan] * 3, solver="rodas5p", compared=0, bars_hold=None)
    better = made_up("immune", [1e-3] * 3, solver="kvaerno5")
    sentences = chapter([pd.concat([WRONG, lost, better], ignore_index=True)], 1e-2)["sentences"]
    assert sentences[0].startswith("The standard errors by forward AD at 1e-3, forward AD at 1e-6")


def test_bars_that_miss_and_bars_that_are_open_are_told():
    missed = WRONG.assign(held=[4, 5, 5], bars_hold=[False, True, True])
    missed["status"] = ["ok", "not resolved: the errors of the Jacobian", "ok"]
    sentences = chapter([RIGHT, missed], 1e-2)["sentences"]
    assert (
        "The estimated error bars miss a certified value in 1 of 6 settings, of immune. Some bars "
        "have no upper end in 1 of 6 settings, of immune." in sentences
    )


def test_what_is_not_identifiable_or_not_certified_is_told():
    singular = made_up(
        "twins", [math.nan] * 3, reference_status="not identifiable: nothing that is measured",
        reference_resolved=1, compared=1,
    )  # fmt: skip
    unknown = made_up(
        "large", [math.nan] * 3, reference_status="not resolved: the errors", compared=0,
        bars_hold=None,
    )  # fmt: skip
    refused = unknown.assign(problem="switch", reference_status="refused: no steady state")
    sentences = chapter([singular, unknown, refused], 1e-2)["sentences"]
    assert (
        "The parameters of twins are not identifiable together: the certified information is "
        "singular." in sentences
    )
    assert (
        "In twins a solver gives finite standard errors where the certified information is "
        "singular." in sentences
    )
    assert "The parameters of large are not certified well enough" in " ".join(sentences)
    assert "There is no certified information of switch; the table says why." in sentences
    notes = [row[0].note for row in chapter([refused], 1e-2)["table"].rows]
    assert notes == ["certified: refused: no steady state"] * 3


def test_cells():
    table = WRONG.assign(resolved=[1, 2, 2], held=[4, 5, 5])
    table.loc[0, "status"] = "not resolved: the errors of the Jacobian"
    rows = chapter([table], 1e-2)["table"].rows
    assert [cell.text for cell in rows[0]] == [
        "immune", "tsit5, forward AD at 1e-3", "0.7", "1.4", "2.1", "1 of 2", "contain 4 of 5"
    ]  # fmt: skip
    assert rows[0][1].note == "not resolved"
    assert rows[0][5].note == "certified: 2"
    assert [row[2].verdict for row in rows] == ["horrible", "bad", "good"]
    assert [row[6].verdict for row in rows] == ["horrible", "good", "good"]
