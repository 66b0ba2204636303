"""The figure of estimation problems: which cell has which text and colour."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from gradaudit.figures.published_problems import published_problems


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def row(problem, error, **changes):
    plain = {
        "problem": problem, "point": "nominal", "tool": "", "solver": "tsit5",
        "method": "forward_ad", "rtol": 1e-6, "status": "ok", "verdict": "good", "work": 1.0,
        "error": error, "resolution": 1e-12,
    }  # fmt: skip
    return {**plain, **changes}


ROWS = pd.DataFrame(
    [
        row("mild", 2e-5),
        row("mild", 1e-9, solver="rodas5p", work=0.5),  # the cheaper one is shown
        row("mild", np.nan, tool="CVODES (AMICI)", method="cvodes", status="max_steps"),
        row("wild", 240.0),
        row("wild", 77.0, tool="CVODES (AMICI)", method="cvodes"),
        row("wild", 1.0, point="drawn 1"),
        row("wild", 1.0, rtol=1e-4),
    ]
)


def test_a_cell_is_the_error_or_the_reason_and_the_worst_problem_is_on_top():
    (ax,) = published_problems(ROWS, settings={"dpi": 40}).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["wild", "mild"]
    heads = [label.get_text() for label in ax.get_xticklabels()]
    assert heads == ["forward\nAD\n1e-6", "CVODES\n(AMICI)"]
    assert [text.get_text() for text in ax.texts] == ["2.4e+02", "77", "1.0e-09", "max steps"]


def test_a_problem_without_any_gradient_is_shown():
    lost = pd.DataFrame([row("lost", np.nan, status="non_finite")])
    (ax,) = published_problems(lost, settings={"dpi": 40}).axes
    assert [text.get_text() for text in ax.texts] == ["non finite"]
