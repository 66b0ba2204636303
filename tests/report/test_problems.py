"""The chapter on estimation problems, from made-up tables."""

from __future__ import annotations

import json

import pandas as pd

from gradaudit.report.problems import chapter


def made_up(name: str, errors: dict[str, list[float]], **changes) -> pd.DataFrame:
    """Errors by method at 1e-4, 1e-6 and 1e-8."""
    rows = [
        {
            "problem": name,
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
    assert "right to 1e-2 in 1 of 2 problems" in sentences
    assert "largest in immune (240)" in sentences
    assert (
        "Error control on the sensitivities at the same tolerance is enough in immune." in sentences
    )
    assert "Of large the gradient is not certified well enough" in sentences


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
    assert [cell.text for cell in row[2:]] == ["max_steps", "–", "–", "–", "–"]
    assert "right to 1e-2 in 0 of 1 problem" in chapter([lost], 1e-2)["sentences"][0]
