"""The sentence that a caption begins with follows the tables."""

from dataclasses import fields

import pandas as pd
import pytest

from gradaudit.report.findings import findings
from gradaudit.report.literature import Facts

NOTHING = pd.DataFrame()


def of(skill=None, **tables):
    """Findings of these tables alone."""
    empty = {
        "ranking": pd.DataFrame(columns=["scope", "position", "ladders", "kind"]),
        "laws": pd.DataFrame(columns=["law", "method", "status", "low", "form", "model"]),
        "remedies": pd.DataFrame(columns=["mechanism", "remedy", "tried", "verdict_after"]),
    }
    given = {field.name: empty.get(field.name, NOTHING) for field in fields(Facts)}
    return findings(Facts(**given | tables), skill)


def test_nothing_gives_no_finding():
    assert of() == {}
    assert of(skill=pd.DataFrame()) == {}


def test_the_kinds_of_errors_along_a_window_are_named():
    laws = pd.DataFrame(
        {
            "law": "window",
            "method": "forward_ad",
            "status": "ok",
            "mechanism": "all",
            "stepping": "all",
            "low": [0.1, 0.2, -0.1],
            "form": ["exponential", "power", "power"],
            "model": ["lorenz", "limit_cycle", "flat"],
        }
    )
    said = of(laws=laws)["laws_axes"]
    assert said == (
        "The error grows with the window exponentially on lorenz and as a power on limit_cycle."
    )


def test_a_kind_of_few_series_is_neither_first_nor_last():
    ranking = pd.DataFrame(
        {
            "scope": "all",
            "kind": ["terminal", "event_time", "log_likelihood"],
            "position": [0.4, 0.0, 0.9],
            "ladders": [40, 3, 30],
        }
    )
    said = of(ranking=ranking)["ranking"]
    assert "the error of the value at the end ranks lowest within its solve" in said
    assert said.endswith("that of the log-likelihood highest.")


@pytest.mark.parametrize(("scope", "known"), [("all", True), ("chaos", False)])
def test_the_best_and_the_worst_indicator(scope, known):
    skill = pd.DataFrame(
        {
            "kind": ["indicator", "indicator", "score"],
            "scope": scope,
            "indicator": ["half_steps", "stiffness", "score_all"],
            "auc": [0.9, 0.4, 0.95],
            "misses": 0.02,
            "false_alarms": 0.1,
            "threshold": 0.01,
        }
    )
    said = of(skill=skill)
    assert ("skill" in said) is known
    if known:
        assert "best (area 0.900)" in said["skill"]
        assert said["trust"].startswith("The best score misses 2 % of the gradients")
