"""The skill of indicators: areas with intervals, and what the scores miss and raise falsely."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from gradaudit.figures.skill import FEWEST, PLAIN, SCORE, skill

SETTINGS = {"dpi": 50}
TABLE = pd.DataFrame(
    {
        "indicator": ["growth", "probed", "unknown"],
        "kind": ["indicator", "score", "indicator"],
        "auc": [0.7, 0.9, np.nan],
        "auc_low": [0.6, 0.85, np.nan],
        "auc_high": [0.8, 0.95, np.nan],
        "cost": [np.nan, 2.0, 1.0],
        "covered": [0.5, 1.0, 1.0],
    }
)
PREDICTIONS = pd.DataFrame(
    {
        "score": "probed",
        "estimate": [-4.0, -3.0, -1.0, 0.0, np.nan],
        "threshold": -2.0,
        "error": [1e-4, 0.1, 1e-3, 1.0, 1.0],
    }
)


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def lines(ax, marker):
    return [line for line in ax.lines if line.get_marker() == marker]


def test_indicators_are_sorted_by_area_and_those_without_one_are_left_out():
    left, _ = skill(TABLE, PREDICTIONS, settings=SETTINGS).axes
    points = lines(left, "o")
    assert [line.get_xdata()[0] for line in points] == [0.7, 0.9]
    assert [line.get_color() for line in points] == [PLAIN, SCORE]
    assert [label.get_text() for label in left.get_yticklabels()][1] == "score, one direction"


def test_beside_an_area_are_its_cost_and_its_share_of_the_rows_where_they_are_known():
    left, _ = skill(TABLE, PREDICTIONS, settings=SETTINGS).axes
    assert [text.get_text() for text in left.texts] == ["0.700   for 50 %", "0.900   cost 2"]


def test_the_dot_is_at_the_shares_of_alarms_of_the_threshold():
    """Of two bad gradients one is above the threshold, and so is one of two good ones."""
    _, right = skill(TABLE, PREDICTIONS, settings=SETTINGS | {"good": 1e-2}).axes
    (dot,) = lines(right, "o")
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (0.5, 0.5)
    curve = right.lines[0].get_xydata()
    least = FEWEST  # of an axis that is logarithmic
    shares = [[least, 1], [least, 0.5], [0.5, 0.5], [0.5, least], [1, least]]
    np.testing.assert_array_equal(curve, shares)


@pytest.mark.parametrize("error", [1e-5, 1.0])
def test_a_score_on_good_or_bad_gradients_alone_has_no_roc(error):
    _, right = skill(TABLE, PREDICTIONS.assign(error=error), settings=SETTINGS).axes
    assert lines(right, "o") == []
    assert right.get_legend() is None


def test_a_table_without_rows_is_an_empty_figure():
    (left,) = skill(TABLE.iloc[:0], PREDICTIONS.iloc[:0], settings=SETTINGS).axes
    assert lines(left, "o") == []


def test_without_scores_there_is_no_panel_for_them():
    figure = skill(TABLE, PREDICTIONS.iloc[:0], settings=SETTINGS)
    assert len(figure.axes) == 1
    assert not any("Right:" in text.get_text() for text in figure.texts)


def test_scores_that_coincide_are_all_seen():
    table = pd.concat([PREDICTIONS.assign(score=s) for s in ("probed", "propagated", "second")])
    right = skill(TABLE, table, settings=SETTINGS).axes[1]
    widths = [line.get_linewidth() for line in right.lines if 2 < len(line.get_xdata()) < 100]
    assert len(widths) == 3
    assert widths[0] > 1.5 * widths[1] > 2.0 * widths[2]
