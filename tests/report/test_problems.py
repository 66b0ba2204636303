"""The chapter on estimation problems, from made-up tables."""

from __future__ import annotations

import json

import pandas as pd

from gradaudit.report.problem_answers import by_question
from gradaudit.report.problems import chapter


def made_up(name: str, errors: dict[str, list[float]], **changes) -> pd.DataFrame:
    """Errors by method at 1e-4, 1e-6 and 1e-8."""
    rows = [
        {
            "problem": name,
            "point": "nominal",
            "tool": "",
            "solver": "tsit5",
            "method": method,
            "rtol": rtol,
            "status": "ok",
            "error": error,
            "resolution": 1e-11,
            "verdict": "good" if error <= 1e-2 else "horrible",
            "work": work * (1.0 if method == "forward_ad" else 2.0),
            "digits": 11.27,
            "reference_status": "ok",
            "value": -10.0,
            "reference_value": -10.0,
            "simulated_conditions": 2,
            "parameters": ["a", "b"],
            "shares": json.dumps({"conditions": {"c": 0.9, "d": 0.1}, "observables": {"o": 1.0}}),
        }
        for method, own in errors.items()
        for rtol, error, work in zip((1e-4, 1e-6, 1e-8), own, (1.0, 2.0, 4.0), strict=True)
    ]
    return pd.DataFrame(rows).assign(**changes)


WRONG = made_up(
    "immune", {"forward_ad": [300.0, 240.0, 1e-3], "forward_sensitivity": [0.1, 1e-3, 1e-5]}
)
RIGHT = made_up("decay", {"forward_ad": [1e-3, 1e-5, 1e-7]})
UNKNOWN = made_up(
    "large", {"forward_ad": [1e-3, 1e-3, 1e-3]}, verdict="unknown", resolution=float("inf"),
    digits=0.0, reference_status="uncertified: time limit",
)  # fmt: skip


def test_without_problems_there_is_no_chapter():
    assert chapter([], 1e-2) == {}


def test_sentences_count_what_is_known_and_name_the_worst():
    sentences = " ".join(chapter([WRONG, RIGHT, UNKNOWN], 1e-2)["sentences"])
    assert "right gradient of the log-likelihood for 1 of 2 problems:" in sentences
    assert "largest in immune (240)" in sentences
    assert "Full control at the same tolerance corrects immune." in sentences
    assert "Nothing is known of large, since the certified gradient has too few digits" in sentences


def test_cells():
    rows = chapter([WRONG, RIGHT, UNKNOWN], 1e-2)["table"].rows
    texts = [[cell.text for cell in row] for row in rows]
    assert texts[0] == [
        "immune", "11.2 digits", "240", "1e-3", "1e-8", "tsit5, 1e-8", "c (90 %)"
    ]  # fmt: skip
    assert [cell.verdict for cell in rows[0]][2:4] == ["horrible", "good"]
    assert rows[0][0].note == "2 parameters, 2 conditions"
    assert texts[1][2:6] == ["1e-5", "–", "1e-4", "tsit5, 1e-4"]
    assert texts[2][1:3] == ["–", "–"]
    assert rows[2][1].note == "uncertified: time limit"


def test_a_problem_without_any_gradient_shows_the_status():
    lost = made_up("lost", {"forward_ad": [float("nan")] * 3}, status="max_steps")
    (row,) = chapter([lost], 1e-2)["table"].rows
    assert [cell.text for cell in row[2:]] == ["max steps", "–", "–", "–", "–"]
    assert "for 0 of 1 problem:" in chapter([lost], 1e-2)["sentences"][0]


def with_tool(table: pd.DataFrame, tool: str, error: float, **changes) -> pd.DataFrame:
    """The table, and a row of a tool at the nominal and at a drawn point."""
    row = table.iloc[:1].assign(tool=tool, error=error, **changes)
    return pd.concat([table, row, row.assign(point="drawn 1", error=2.0 * error)])


def test_tools_have_a_table_and_a_sentence_best_first():
    tables = [
        with_tool(with_tool(WRONG, "CVODES", 77.0), "diffsol", 1e-3),
        with_tool(RIGHT, "diffsol", 1e-4),
        with_tool(UNKNOWN, "diffsol", 1e-4),
    ]
    found = chapter(tables, 1e-2)
    assert (
        "for all 2 problems by diffsol and for 0 of 1 problem by CVODES." in found["sentences"][-1]
    )
    cells = {row[0].text: row[1:] for row in found["tools"].rows}
    assert found["tools"].heads == ["problem", "CVODES", "diffsol"]
    assert [cell.text for cell in cells["immune"]] == ["77", "1e-3"]
    assert [cell.verdict for cell in cells["immune"]] == ["horrible", "good"]
    assert cells["immune"][0].note == "up to 150 at other points"
    assert [cell.text for cell in cells["decay"]] == ["–", "1e-4"]
    assert cells["large"][1].text == "–"  # nothing is certified


def test_a_lost_solve_of_a_tool_shows_its_status():
    found = chapter([with_tool(RIGHT, "SciPy", float("nan"), status="max_steps")], 1e-2)
    (row,) = found["tools"].rows
    assert (row[1].text, row[1].verdict) == ("max steps", "horrible")
    assert "for 0 of 1 problem by SciPy" in found["sentences"][-1]


def test_each_question_is_answered_on_the_problems():
    drawn = RIGHT.assign(point="drawn 1", error=1.0)
    valued = [
        table.assign(value=-10.0 * (1.0 + 1e-3 * table["error"]), reference_value=-10.0)
        for table in (WRONG, pd.concat([RIGHT, drawn]), RIGHT.assign(problem="third"))
    ]
    found = by_question(valued, 1e-2)
    assert "1000 times as large, in the median of 12 gradients" in found["q1"][0]
    assert "at 2 of 3 nominal points and at 0 of 1 point drawn" in found["q2"][0]
    assert found["q3"] == [
        "Forward AD at 1e-6 does not give the right gradient in 1 problem. Full control at the "
        "same tolerance corrects it, and so does a tighter tolerance of forward AD."
    ]
    assert by_question([], 1e-2) == {}
    never = by_question([WRONG.assign(error=1.0, value=1.0, reference_value=1.0)], 1e-2)
    assert "Neither full control at the same tolerance nor a tighter" in never["q3"][0]
    assert never["q3"][1] == "No setting that was tried is right in immune."


def test_remedies_are_told_of_one_problem_and_of_several():
    missed = WRONG.assign(error=1.0)
    only_tighter = WRONG.assign(error=WRONG["error"].where(WRONG["method"] == "forward_ad", 1.0))
    assert by_question([only_tighter], 1e-2)["q3"][0].endswith(
        "A tighter tolerance of forward AD corrects it, full control at the same tolerance does "
        "not."
    )
    several = [only_tighter, missed.assign(problem="b"), missed.assign(problem="c")]
    assert by_question(several, 1e-2)["q3"] == [
        "Forward AD at 1e-6 does not give the right gradient in 3 problems. Full control at the "
        "same tolerance corrects none of them, a tighter tolerance of forward AD 1.",
        "No setting that was tried is right in b and c.",
    ]


def test_where_no_error_is_known_nothing_is_counted():
    sentences = chapter([UNKNOWN], 1e-2)["sentences"]
    assert len(sentences) == 1
    assert sentences[0].startswith("Nothing is known of large")
