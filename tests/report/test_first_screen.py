"""The first screen: conclusions that follow from the tables."""

import pandas as pd

from gradaudit.analysis.functional_ranking import EVERYWHERE
from gradaudit.report.first_screen import functionals


def ranking(good, horrible=0.0):
    return pd.DataFrame(
        {
            "scope": EVERYWHERE,
            "kind": ["terminal", "time_average", "trace_sse", "log_likelihood"],
            "good": good,
            "horrible": horrible,
            "ladders": 40,
            "best_good": 1.0,
        }
    )


def test_all_that_tie_are_named():
    text = functionals(ranking([1.0, 0.9, 0.0, 0.0])).conclusion
    assert text.startswith(
        "Most often the value at the end: by forward AD 100 % of its tolerance series"
    )
    least = text.partition("Least often ")[2]
    assert "sum of squares" in least
    assert "the log-likelihood" in least
    one = functionals(ranking([1.0, 0.9, 0.5, 0.0])).conclusion
    assert "Least often the log-likelihood: 0 %, or 100 % by the best method." in one


def test_where_all_are_alike_none_is_the_least_accurate():
    assert "Least often" not in functionals(ranking([1.0] * 4)).conclusion


def test_kinds_that_are_left_out_are_named():
    table = ranking([1.0, 0.9, 0.5, 0.0])
    assert functionals(table).caption == "share of tolerance series that are good by forward AD"
    few = functionals(table.assign(ladders=[3, 40, 40, 40]))
    assert few.conclusion.startswith(
        "Of the kinds with at least 10 series, most often the time average"
    )
    assert few.caption.endswith("; without kinds with fewer than 10 series")
    own = functionals(table.assign(kind=["solver_target", "terminal", "maximum", "trace_sse"]))
    assert own.caption.endswith("; without kinds whose data the solver makes itself")
