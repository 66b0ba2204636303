"""The trust score: estimate against truth, and coverage by mechanism."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from gradaudit.figures.trust import trust

SETTINGS = {"dpi": 50, "good": 1e-2}


def predictions(*scores):
    """Of each score two mechanisms; in "chaos" one of two errors is above the interval."""
    rows = pd.DataFrame(
        {
            "model": ["a", "a", "b", "b"],
            "mechanism": ["smooth", "smooth", "chaos", "chaos"],
            "functional": "terminal",
            "verdict": ["good", "good", "bad", "horrible"],
            "estimate": [-6.0, -5.0, -2.0, -1.0],
            "true": [-6.0, -5.0, -2.0, 1.0],
            "low": [-7.0, -6.0, -3.0, -2.0],
            "high": [-5.0, -4.0, -1.0, 0.0],
            "threshold": -2.5,
            "error": [1e-6, 1e-5, 1e-2, 10.0],
        }
    )
    return pd.concat([rows.assign(score=score) for score in scores], ignore_index=True)


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_every_score_has_a_column():
    figure = trust(predictions("probed", "propagated"), settings=SETTINGS)
    assert [ax.get_title(loc="left") for ax in figure.axes[:2]] == [
        "score, one direction",
        "score, all directions",
    ]
    assert len(figure.axes) == 4


@pytest.mark.slow
def test_every_gradient_is_a_point_at_its_estimate_and_truth():
    above = trust(predictions("probed"), settings=SETTINGS).axes[0]
    points = np.concatenate([line.get_xydata() for line in above.lines if line.get_marker() == "."])
    expected = [[-6, -6], [-5, -5], [-2, -2], [-1, 1]]
    np.testing.assert_array_equal(points[np.argsort(points[:, 0])], expected)


def test_the_threshold_and_the_bound_are_lines():
    above = trust(predictions("probed"), settings=SETTINGS).axes[0]
    straight = [line.get_xydata() for line in above.lines if len(line.get_xydata()) == 2]
    assert any((line[:, 0] == -2.5).all() for line in straight)
    assert any((line[:, 1] == -2.0).all() for line in straight)


def test_coverage_by_mechanism_is_the_share_within_the_interval():
    below = trust(predictions("probed"), settings=SETTINGS).axes[1]
    names = [label.get_text() for label in below.get_yticklabels()]
    parts = [[bar.get_width() for bar in bars] for bars in below.containers]
    shares = dict(zip(names, zip(*parts, strict=True), strict=True))
    # Inside, below and above the interval: together they fill the bar.
    assert shares["smooth"] == (1.0, 0.0, 0.0)
    assert shares["chaos"] == (0.5, 0.0, 0.5)


def test_without_predictions_the_figure_says_so_and_has_no_axes():
    figure = trust(predictions("probed").iloc[:0], settings=SETTINGS)
    assert not figure.axes
    assert "nothing to draw" in " ".join(text.get_text() for text in figure.texts)


def test_the_interval_is_told_where_some_rows_have_none():
    table = predictions("probed")
    table.loc[0, ["low", "high"]] = np.nan
    above = trust(table, settings=SETTINGS).axes[0]
    assert "interval: 0.1 to 10" in above.texts[0].get_text()
    table[["low", "high"]] = np.nan
    assert not trust(table, settings=SETTINGS).axes[0].texts
