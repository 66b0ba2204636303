"""Which functionals have accurate gradients, in sentences."""

import pandas as pd

from gradaudit.analysis.functional_ranking import EVERYWHERE
from gradaudit.report.ranking_sentences import answer

KINDS = ("terminal", "time_average", "trace_sse", "log_likelihood")


def ranking(best_good):
    return pd.DataFrame(
        {
            "scope": EVERYWHERE,
            "kind": KINDS,
            "good": [1.0, 1.0, 0.0, 0.0],
            "horrible": 0.0,
            "ladders": 1,
            "best_good": best_good,
            "best_horrible": 0.0,
            "position": [0.0, 0.33, 0.67, 1.0],
            "position_low": float("nan"),
            "position_high": float("nan"),
        }
    )


def test_no_functional_is_among_the_most_and_the_least_accurate():
    text = " ".join(answer(ranking([1.0] * 4)))
    places = text.partition("The smallest median ranks: ")[2].partition("Intervals")[0]
    most, least = places.split("The largest: ")
    assert "value at the end 0.00" in most
    assert "value at the end" not in least
    assert "sum of squares" not in most
    assert "log-likelihood 1.00" in least


def test_of_few_tolerance_series_shares_are_counts():
    few = ranking([1.0] * 4).assign(ladders=5, good=[1.0, 0.8, 0.2, 0.0])
    text = " ".join(answer(few))
    assert "value at the end (5 of 5 good, 0 horrible)" in text
    assert "sum of squares, noisy target (1 of 5 good, 0 horrible)" in text
    assert "%" not in text.partition("The functionals of each solve")[0]
    many = " ".join(answer(few.assign(ladders=40)))
    assert "value at the end (100 % good, 0 % horrible, of 40 tolerance series)" in many


def test_where_all_are_good_none_is_the_most_difficult():
    text = " ".join(answer(ranking([1.0] * 4)))
    assert "All tolerance series of all functionals are good" in text
    assert "most difficult" not in text
    text = " ".join(answer(ranking([1.0, 1.0, 0.5, 1.0])))
    assert "The most difficult is the sum of squares, noisy target: 50 % are good" in text
