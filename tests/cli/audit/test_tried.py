"""What the rows of an audit say, and what a script is told."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from gradaudit.cli.audit import problem_view, view
from gradaudit.cli.audit.matrix import digits, legend, matrix
from gradaudit.cli.audit.tried import (
    answer,
    error_text,
    exit_code,
    failures,
    sound_from,
    told_exit_code,
    usual_row,
)
from gradaudit.report.numbers import DASH


def row(error: float, resolution: float = 0.0, status: str = "ok", verdict: str = "good"):
    return {"status": status, "error": error, "resolution": resolution, "verdict": verdict}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (row(1e-3), 0),
        (row(2e-2), 1),
        (row(9e-3, 2e-3), 3),  # the reference cannot tell
        (row(math.nan, math.inf), 3),
        (row(math.nan, status="max_steps"), 1),
    ],
)
def test_exit_code(given, code):
    assert exit_code(given, 1e-2) == code


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (row(1e-3), "right"),
        (row(0.1), "inaccurate"),
        (row(3.0), "wrong"),
        (row(3.0, verdict="unknown"), "unknown"),
        (row(math.nan, status="non_finite"), "none"),
    ],
)
def test_answer(given, word):
    assert answer(given, 1e-2, 0.5) == word


@pytest.mark.parametrize(
    ("given", "text", "cell"),
    [
        (row(math.inf), "0", "not finite"),  # a gradient that overflows
        (row(math.inf, 1e-9, verdict="horrible"), "0", "not finite"),
        (row(math.inf, math.inf), "0", DASH),
        (row(1e-3, math.inf), "?", DASH),
        (row(math.nan), "?", DASH),
        (row(math.nan, math.inf), "?", DASH),
        (row(math.inf, verdict="unknown"), "?", DASH),
    ],
)
def test_errors_that_are_not_finite_can_be_shown(given, text, cell):
    assert digits(given) == text
    assert view._error(given) == problem_view._error(given) == cell


def test_an_infinite_error_is_told(capsys):
    assert error_text(row(math.inf, 1e-9)) == error_text(row(math.inf, math.inf)) == "not finite"
    assert told_exit_code(row(math.inf, 1e-9), 1e-2) == 1
    assert "the error is not finite, above" in capsys.readouterr().err
    assert told_exit_code(row(1e-3, math.inf), 1e-2) == 3
    assert "the error is not known" in capsys.readouterr().err


TABLE = pd.DataFrame(
    {
        "solver": ["tsit5"] * 3 + ["kvaerno5"],
        "method": "forward_ad",
        "rtol": [1e-3, 1e-6, 1e-9, 1e-6],
        "status": ["ok", "ok", "max_steps", "ok"],
        "error": [0.02, 1e-2, math.nan, 1e-20],
        "resolution": [0.0, 0.0, math.inf, 1e-16],
        "verdict": ["bad", "good", "horrible", "good"],
        "work": [1.0, 2.0, 3.0, 50.0],
        "steps": [10, 20, 30, 10],
    }
)


def test_the_usual_setting_is_that_of_least_work_among_those_that_end():
    assert usual_row(TABLE)["solver"] == "tsit5"
    failed = TABLE.assign(status=["ok", "max_steps", "ok", "ok"])
    assert usual_row(failed)["solver"] == "kvaerno5"


def test_sound_means_all_tighter_ones_as_well():
    assert sound_from(TABLE, "tsit5", "forward_ad", 1e-2) is None  # the tightest has no result
    assert sound_from(TABLE.iloc[:2], "tsit5", "forward_ad", 1e-2) == 1e-6


def test_failures_are_named_with_their_status():
    assert list(failures(TABLE)) == ["tsit5 forward_ad at 1e-9 (max_steps)"]
    assert list(failures(TABLE, passed_over=("max_steps",))) == []


def test_a_matrix_has_the_digits_that_surely_hold():
    lines = ["".join(text for text, _ in line).split() for line in matrix(TABLE)]
    assert lines == [
        ["1e-3", "1e-6", "1e-9"],
        ["tsit5", "forward_ad", "1", "2", "x"],  # 1e-2 itself is two digits
        ["kvaerno5", "forward_ad", "-", "15", "-"],
    ]
    assert "2 or more: right, the error is at most 1e-2" in legend("gradient")


def test_tolerances_that_do_not_fit_into_a_line_follow_below():
    wide = pd.concat([TABLE.iloc[:1].assign(rtol=10.0**-k) for k in range(3, 16)])
    texts = ["".join(text for text, _ in line) for line in matrix(wide, columns=60)]
    assert len(texts) == 4
    assert max(map(len, texts)) <= 60
