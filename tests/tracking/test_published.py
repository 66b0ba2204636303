"""The run of the published experiment."""

import pandas as pd

from gradaudit.tracking.names import Steps
from gradaudit.tracking.plan import NOTE
from gradaudit.tracking.published import published_plan

TABLE = pd.DataFrame(
    {
        "model": "neuron",
        "variant": ["same_grid", "dual_norm", "same_grid", "dual_norm"],
        "rtol": [1e-3, 1e-3, 1e-6, 1e-6],
        "atol": [1e-6, 1e-6, 1e-9, 1e-9],
        "status": ["ok", "ok", "ok", "max_steps"],
        "gradient_norm": [1.0, 1e6, 0.5, float("nan")],
    }
)


def plan_of(table=TABLE, parent="model/neuron"):
    return published_plan(
        table,
        model="neuron",
        parent=parent,
        steps=Steps([1e-3, 1e-6]),
        provenance={},
        artifacts=(),
    )


def test_metrics_are_variants_stepped_over_tolerances():
    readings = {(r.name, r.step): r.value for r in plan_of().readings}
    assert readings == {
        ("same_grid/gradient_norm", 3): 1.0,
        ("dual_norm/gradient_norm", 3): 1e6,
        ("same_grid/gradient_norm", 6): 0.5,
        ("rtol", 3): 1e-3,
        ("rtol", 6): 1e-6,
    }


def test_failed_variants_are_named_with_their_tolerance():
    assert plan_of().tags["status"] == "dual_norm max_steps at rtol 1e-6"
    assert plan_of(TABLE.assign(status="ok")).tags["status"] == "ok"


def test_the_note_has_one_column_per_variant():
    note = plan_of().tags[NOTE]
    assert note.splitlines()[-4:] == [
        "| rtol | dual_norm | same_grid |",
        "| --- | --- | --- |",
        "| 0.001 | 1e+06 | 1 |",
        "| 1e-06 | – | 0.5 |",
    ]


def test_the_order_of_rows_does_not_matter():
    assert plan_of(TABLE.iloc[::-1]).digest == plan_of().digest
    assert plan_of().params == {
        "model": "neuron",
        "variants": "dual_norm, same_grid",
        "rtol_loosest": "0.001",
        "rtol_tightest": "1e-06",
    }
    assert plan_of(parent="").digest == plan_of().digest
