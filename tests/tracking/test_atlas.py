"""The run of the atlas: verdicts of all models, by regime and by method."""

import pandas as pd

from gradaudit.tracking.atlas import atlas_plan
from gradaudit.tracking.models import NOTE

VERDICTS = pd.DataFrame(
    {
        "model": ["a", "a", "b"],
        "solver": "tsit5",
        "method": ["forward_ad", "dual_norm", "forward_ad"],
        "functional": "terminal",
        "kind": "terminal",
        "regime": ["good", "good", None],
        "mechanism": ["smooth", "smooth", "chaos"],
        "verdict": ["good", "bad", "good"],
    }
)


def test_the_run_counts_what_was_compared():
    plan = atlas_plan(VERDICTS, provenance={"provenance.code": "1"}, artifacts=())
    assert (plan.key, plan.name, plan.parent) == ("atlas", "atlas", "")
    assert plan.params == {"models": "2", "solvers": "1", "methods": "2", "functionals": "1"}
    assert (plan.tags["verdict"], plan.tags["provenance.code"]) == ("bad", "1")
    assert {r.name: r.value for r in plan.readings} == {
        "ladders_good": 2.0,
        "ladders_bad": 1.0,
        "ladders_horrible": 0.0,
    }


def test_a_verdict_that_does_not_occur_is_a_column_of_zeros():
    plan = atlas_plan(VERDICTS, provenance={}, artifacts=())
    tables = {artifact.path: artifact.content.decode() for artifact in plan.artifacts}
    assert tables["table/models.csv"].splitlines() == [
        "model,method,good,bad,horrible",
        "a,dual_norm,0,1,0",
        "a,forward_ad,1,0,0",
        "b,forward_ad,1,0,0",
    ]
    assert len(tables["table/verdicts.csv"].splitlines()) == 4


def test_a_model_without_a_regime_is_counted_as_well():
    note = atlas_plan(VERDICTS, provenance={}, artifacts=()).tags[NOTE]
    assert note.startswith("**Atlas**: 2 models. Of 3 tolerance series")
    assert "|  | chaos | 1 | 0 | 0 |" in note
    assert "| good | smooth | 1 | 1 | 0 |" in note
