"""What is said of the indicators is what their table says."""

import numpy as np
import pandas as pd

from gradaudit.report.indicator_sentences import answer

ROW = {
    "indicator": "estimated_error", "cost": 2.0, "spearman": 0.8, "spearman_low": 0.7,
    "spearman_high": 0.9, "auc": 0.95, "auc_low": 0.9, "auc_high": 0.98, "threshold": 0.01,
    "misses": 0.05, "false_alarms": 0.1, "rows": 100, "missed_nonconverging": 3.0,
}  # fmt: skip
OTHER = ROW | {"indicator": "embedded", "auc": 0.7}


def told(*rows):
    return " ".join(answer(pd.DataFrame(list(rows))))


def test_the_best_is_named_with_its_intervals():
    text = told(OTHER, ROW)
    assert "The best of 2 indicators is “half steps”" in text
    assert "0.95 [0.90, 0.98]" in text
    assert "misses 5 % of the gradients" in text
    assert "embedded error of the tangents 0.70" in text
    assert "is “embedded error" in told(OTHER | {"auc": 0.99}, ROW)


def test_an_area_near_one_is_not_rounded_to_it():
    text = told(OTHER, ROW | {"auc": 0.9981, "auc_low": 0.9952, "auc_high": 0.9998})
    assert "0.9981 [0.9952, 0.9998]" in text
    assert "half steps 0.998; embedded error of the tangents 0.700" in text


def test_an_indicator_is_explained_and_its_misses_are_counted():
    text = told(ROW | {"kind": "indicator", "meaning": "a distance", "nonconverging": 9})
    assert "“half steps” (a distance). It separates" in text
    assert "among those that it misses are 3 of the 9 whose tolerance series does not" in text


def test_scores_are_told_apart_from_indicators():
    text = told(ROW | {"kind": "indicator"}, OTHER | {"kind": "score", "indicator": "probed"})
    assert "The best of 1 indicator is" in text
    assert "The best of 1 trust score is “score" in text


def test_of_several_scopes_all_is_told():
    text = told(OTHER | {"scope": "chaos", "auc": 0.99}, ROW | {"scope": "all"})
    assert "0.95" in text
    assert "0.99" not in text


def test_nothing_is_a_sentence():
    assert "not computed" in answer(None)[0]
    assert "not computed" in answer(pd.DataFrame())[0]
    assert "No indicator could be judged" in told(ROW | {"auc": np.nan})
    assert "threshold" not in told(ROW | {"threshold": np.nan})
