"""The run of one model: its reference, its verdicts, and the charts of all settings."""

import json
import math

import pandas as pd
import pytest

from gradaudit.tracking.models import model_facts, model_key, model_plan
from gradaudit.tracking.names import Steps
from gradaudit.tracking.plan import NOTE, Artifact
from gradaudit.tracking.usable import best_setting

MODEL = {
    "key": "logistic",
    "name": "Logistic growth",
    "states": {"N": "1"},
    "parameters": {"r": [1.0, "1/s"], "K": [2.0, "1"]},
    "t_end": 10.0,
    "time_unit": "s",
    "mechanism": "smooth",
    "regime": "good",
    "description": "Growth.",
    "citation": "Verhulst (1838)",
}
REFERENCE = {
    "model_json": json.dumps(MODEL),
    "digits": 13.25,
    "integral_digits": 12.0,
    "status": "ok",
    "rungs_json": '[{"precision": "double"}]',
}
ROWS = [
    {
        "solver": solver,
        "method": "forward_ad",
        "functional": functional,
        "kind": "terminal",
        "rtol": rtol,
        "error": rtol * (10.0 if functional == "maximum_N" else 1.0),
        "sufficient_rtol": 1e-6 if functional == "maximum_N" else 1e-3,
        "work": (1.0 if solver == "tsit5" else 2.0) / rtol,
        "digits": -math.log10(rtol) - (functional == "maximum_N"),
        "order": 1.0,
        "ladder_verdict": "bad" if functional == "maximum_N" else "good",
        "status": "ok",
        "gradient": [1.0],
    }
    for solver in ("dopri8", "tsit5")
    for rtol in (1e-3, 1e-6)
    for functional in ("terminal_N", "maximum_N")
]


def plan_of(rows=ROWS, **reference):
    return model_plan(
        pd.DataFrame(rows),
        model="logistic",
        best=best_setting(pd.DataFrame(rows)),
        reference=REFERENCE | reference,
        steps=Steps([1e-3, 1e-6]),
        provenance={},
        artifacts=(Artifact(path="figures/a.png", content=b"1"),),
    )


def values(plan, name):
    return {reading.step: reading.value for reading in plan.readings if reading.name == name}


def artifact(plan, path):
    return next(a.content.decode() for a in plan.artifacts if a.path == path)


def test_facts_of_a_model_come_from_its_reference():
    assert model_facts(REFERENCE) == {
        "model": "logistic",
        "n_states": 1,
        "n_parameters": 2,
        "t_end": "10 s",
        "reference_digits": 13.25,
    }


def test_a_model_without_a_unit_of_time_has_a_plain_window():
    model = MODEL | {"time_unit": None}
    assert model_facts(REFERENCE | {"model_json": json.dumps(model)})["t_end"] == "10"


def test_the_run_names_its_solvers_and_counts_verdicts():
    plan = plan_of()
    assert plan.key == model_key("logistic") == "model/logistic"
    assert plan.params["solvers"] == "dopri8, tsit5"
    assert (plan.tags["verdict"], plan.tags["status"]) == ("bad", "ok")
    assert [values(plan, f"ladders_{word}") for word in ("good", "bad", "horrible")] == [
        {0: 2.0},
        {0: 2.0},
        {0: 0.0},
    ]


def test_charts_show_the_largest_error_by_setting():
    plan = plan_of()
    assert values(plan, "worst_error/tsit5 forward_ad") == {
        3: pytest.approx(1e-2),
        6: pytest.approx(1e-5),
    }
    rows = [row | {"error": math.nan} if row["functional"] == "maximum_N" else row for row in ROWS]
    assert values(plan_of(rows), "worst_error/tsit5 forward_ad") == {}


def test_the_cheapest_setting_is_named():
    plan = plan_of()
    assert plan.tags["best"] == "tsit5 forward_ad at rtol 1e-6"
    assert values(plan, "best_work") == {0: 1e6}
    none = plan_of([row | {"ladder_verdict": "horrible"} for row in ROWS])
    assert none.tags["best"] == "none"
    assert "no setting has right gradients of all functionals" in none.tags[NOTE]


def test_a_functional_without_digits_leaves_a_gap_in_the_summary():
    rows = [row | {"digits": math.nan} if row["functional"] == "maximum_N" else row for row in ROWS]
    assert artifact(plan_of(rows), "table/summary.csv").splitlines()[1].endswith(",1.0,,,0")


def test_the_note_has_reference_model_and_a_table():
    note = plan_of().tags[NOTE]
    assert note.startswith(
        "**Logistic growth**: the cheapest setting with right gradients of all functionals is "
        "**tsit5, forward AD, rtol 1e-6** (maximum_N needs that tolerance).\n\n"
        "Of 4 tolerance series (solver, method, functional) 2 good, 2 bad, "
        "0 horrible. Reference: **13.2 significant digits** of the sensitivities certified "
        "(status: ok)."
    )
    assert "1 states, 2 parameters, t from 0 to 10 s. Mechanism: **smooth**." in note
    assert "| tsit5 | forward_ad | 1 | 1 | 0 | 1 | 5 | maximum_N | 0 |" in note
    assert note.endswith("*Verhulst (1838)*")


def test_files_of_a_run():
    plan = plan_of()
    assert plan.artifacts[0].path == "figures/a.png"
    assert artifact(plan, "table/verdicts.csv").splitlines() == [
        "solver,method,maximum_N,terminal_N",
        "dopri8,forward_ad,bad,good",
        "tsit5,forward_ad,bad,good",
    ]
    assert json.loads(artifact(plan, "reference/certificate.json")) == {
        "digits": "13.25",
        "integral_digits": "12.0",
        "status": "ok",
        "rungs": [{"precision": "double"}],
    }


def test_failed_solves_are_counted_by_tolerance():
    rows = [row | {"status": "max_steps"} if row["rtol"] == 1e-6 else row for row in ROWS]
    lines = artifact(plan_of(rows), "table/summary.csv").splitlines()
    assert [line.rpartition(",")[2] for line in lines] == ["failed solves", "1", "1"]


def test_integrals_that_are_not_there_have_no_digits():
    plan = plan_of(integral_digits=math.nan)
    assert values(plan, "integral_digits") == {}
    assert values(plan, "reference_digits") == {0: pytest.approx(13.25)}
