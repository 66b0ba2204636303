"""`gradaudit audit`: a table, one sentence, a document for programs, and honest words."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from cli.audit.test_table import VERDICT, rows
from gradaudit.cli import main as cli
from gradaudit.cli.audit.job import Job
from gradaudit.cli.audit.jobs import run_jobs
from gradaudit.cli.audit.progress import Progress
from gradaudit.cli.audit.run import LIMITED, SOLVERS, configure, without_auto
from gradaudit.cli.audit.table import cheapest, judged, worst
from gradaudit.cli.audit.view import Audit, ReferenceSummary, as_json, show
from gradaudit.errors import GradauditError, SettingError
from gradaudit.pipeline.config import ladder_of
from gradaudit.sensitivity.solver_choice import Look

HEADER = "import jax.numpy as jnp\nfrom gradaudit import Model\n"
MODEL = (
    "MODEL = Model(name='mine', vector_field=f, states={{'y': (1.0, 'mM')}}, "
    "parameters={{{}}}, t_end=2.0, observations=11)\n"
)
ONE, TWO = "'k': (1.0, '1/s')", "'k': (1.0, '1/s'), 'unused': (2.0, '1')"
QUICK = ["--solvers", "tsit5", "--tightest", "1e-5"]
QUICKEST = ["--solvers", "tsit5", "--tightest", "1e-3", "--methods", "forward_ad", "--cores", "1"]


@pytest.fixture(autouse=True)
def _quick_programs(monkeypatch):
    """Programs here are compiled to run once."""
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")


def write(path: Path, field: str, parameters: str = ONE) -> str:
    text = f"{HEADER}\ndef f(t, y, p):\n    {field}\n\n{MODEL.format(parameters)}"
    path.write_text(text)
    return str(path)


def audit(capfd, *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["audit", *arguments])
    captured = capfd.readouterr()
    assert "Traceback" not in captured.err + captured.out
    return code, captured.out, captured.err


@pytest.mark.slow
def test_the_solver_that_suits_takes_the_place_of_auto(tmp_path, capfd):
    """A decay of rate 1e6 in a window of 2 is stiff; what the model prints is not on stdout."""
    path = write(tmp_path / "mine.py", "return -1e6 * (y - p[0])")
    Path(path).write_text(Path(path).read_text() + "print('on import')\n")
    settings = ["--tightest", "1e-3", "--methods", "forward_ad", "--cores", "1", "--json"]
    code, out, err = audit(capfd, path, "--solvers", "auto", "rodas5p", *settings)
    assert code == 0
    assert "gradaudit: solver auto: rodas5p, stiff: " in err
    assert {row["solver"] for row in strict(out)["rows"]} == {"rodas5p"}


def test_solvers_that_are_named_ask_for_no_look():
    def never():
        raise AssertionError("a look was taken")

    assert without_auto(["tsit5"], never) == ["tsit5"]
    assert without_auto(None, never) is None


def test_auto_is_told_and_named_once(capfd):
    found = without_auto(["auto", "tsit5"], lambda: Look("tsit5", "not stiff", 1, 1.0))
    assert found == ["tsit5"]
    assert capfd.readouterr().err == "gradaudit: solver auto: tsit5, not stiff\n"


def strict(text: str) -> dict:
    def refuse(constant: str):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.slow
def test_a_model_of_the_users_as_json(tmp_path, capfd):
    """It prints on import and has an idle parameter: stdout has the document and nothing else."""
    path = write(tmp_path / "mine.py", "return -p[0] * y", TWO)
    Path(path).write_text(Path(path).read_text() + "print('on import')\n")
    table = tmp_path / "kept" / "table.parquet"
    code, out, err = audit(capfd, path, *QUICK, "--json", "--output", str(table))
    document = strict(out)
    assert code == 0
    assert document["name"] == "mine"
    assert document["accuracy"] == 1e-4
    assert document["reference"]["status"] == "ok"
    assert document["reference"]["digits"] >= 12
    rows = document["rows"]
    assert len(rows) == 3 * 3  # methods, tolerances
    assert {row["status"] for row in rows} == {"ok"}
    assert {row["verdict"] for row in rows} <= {"good", "bad", "horrible"}
    best = document["cheapest"]
    assert best["error"] <= 1e-4
    assert best["work"] == min(r["work"] for r in rows if r["error"] <= 1e-4)
    assert document["sentence"].startswith("Cheapest setting for an error of 1e-4: tsit5, ")
    assert err.count("gradaudit: warning: ") == 1
    assert "mine.py: model 'mine': nothing depends on the parameter 'unused'" in err
    assert "tsit5: 9 solves" in err
    assert len(pd.read_parquet(table)) > len(rows)


@pytest.mark.slow
def test_a_model_without_a_reference_gets_no_verdicts(tmp_path, capfd):
    """The reference refuses a switch that is not declared; every solve is shown all the same."""
    path = write(tmp_path / "mine.py", "return jnp.where(t < 1.0, -p[0] * y, p[0] * y)")
    code, out, err = audit(capfd, path, *QUICKEST)
    assert code == 0
    text = " ".join(out.split())
    assert "none, no error can be measured: model 'mine'" in text
    assert "for an error of 1e-4: no setting is known, there is no reference" in text
    assert "UNKNOWN" in out
    assert "estimated without the reference" in text
    assert not {"good", "bad", "horrible"} & set(out.split())
    assert "reference: failed" in err


@pytest.mark.slow
def test_where_every_solve_fails_the_audit_says_so_and_the_code_is_1(tmp_path, capfd):
    path = write(tmp_path / "mine.py", "return -p[0] * y * jnp.sqrt(1.0 - t)")
    code, out, _ = audit(capfd, path, *QUICKEST, "--json")
    document = strict(out)
    assert code == 1
    assert document["reference"]["status"].startswith("uncertified: non_finite after t = ")
    assert {row["status"] for row in document["rows"]} <= {"non_finite", "step_underflow"}
    assert {row["error"] for row in document["rows"]} == {None}
    assert document["cheapest"] is None
    assert document["reason"].startswith("every solve failed")


def test_errors_inside_a_worker_are_messages(tmp_path, capfd):
    path = write(tmp_path / "mine.py", "return -p[0] * y if y[0] > 0 else y")
    code, out, err = audit(capfd, path, *QUICKEST)
    assert code == 2
    assert out == ""
    lines = [line for line in err.splitlines() if line.startswith("gradaudit: ")]
    assert len(lines) == 1
    assert f"{path}: model 'mine': vector_field, line 5, branches in python" in lines[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["logistik"], "no model 'logistik' (did you mean 'logistic'?)"),
        (["missing/model.py"], "no model 'missing/model.py'"),
        (["logistic", "--solvers", "tsit4"], "unknown solver 'tsit4' (did you mean 'tsit5'?)"),
        (["logistic", "--methods", "forward"], "unknown method 'forward'"),
        (["logistic", "--tightest", "0"], "must lie between 0 and 1"),
        (["logistic", "--tightest=-1e-6"], "must lie between 0 and 1"),
        (["logistic", "--tightest", "nan"], "must lie between 0 and 1"),
        (["logistic", "--loosest", "inf"], "must lie between 0 and 1"),
        (["logistic", "--loosest", "1"], "must lie between 0 and 1"),
        (["logistic", "--tightest", "1e-17"], "finer than float64 resolves"),
        (["logistic", "--loosest", "1e-9"], "swap them"),
        (["logistic", "--accuracy", "0"], "write a positive error such as 1e-4"),
        (["logistic", "--accuracy", "nan"], "write a positive error such as 1e-4"),
        (["logistic", "--max-steps", "0"], "must be positive"),
        (["logistic", "--time-limit", "-1"], "must be positive"),
    ],
    ids=" ".join,
)
def test_settings_that_make_no_sense_are_refused_at_once(arguments, words, capfd):
    code, out, err = audit(capfd, *arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("gradaudit: ")
    assert words in err


@pytest.mark.parametrize("option", ["--cores", "--per-decade"])
def test_counts_are_positive(option, capfd):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["audit", "logistic", option, "0"])
    assert "'0' is not a positive whole number" in capfd.readouterr().err


TOLERANCES = {"loosest": 1e-3, "tightest": 1e-8, "per_decade": 1}


def test_the_slow_solver_stops_early_unless_it_is_asked_for():
    config = configure(solvers=None, methods=["forward_ad"], tolerances=TOLERANCES)
    assert list(config.solvers) == list(SOLVERS)
    assert ladder_of(config, "tsit5")[-1] == 1e-8
    assert ladder_of(config, "kvaerno5")[-1] == LIMITED["kvaerno5"]
    asked = configure(solvers=["kvaerno5"], methods=["forward_ad"], tolerances=TOLERANCES)
    assert ladder_of(asked, "kvaerno5")[-1] == 1e-8


@pytest.mark.parametrize(("loosest", "tightest"), [(1e-7, 1e-8), (1e-3, 1e-4)])
def test_the_limit_keeps_within_the_ladder(loosest, tightest):
    tolerances = {"loosest": loosest, "tightest": tightest, "per_decade": 1}
    config = configure(solvers=None, methods=["forward_ad"], tolerances=tolerances)
    assert tightest <= ladder_of(config, "kvaerno5")[-1] <= loosest


def reference_of(model: Path, output: Path, **options) -> Job:
    settings = {"digits": 8, "negligible": 1e-3, "time_limit_s": 60.0, "proof": False}
    arguments = {"model": str(model), "settings": settings, "output": output}
    return Job(label=model.stem, stage="reference", arguments=arguments, **options)


def outcomes(given: list[Job], workers: int = 2):
    with Progress() as progress:
        return run_jobs(given, workers=workers, progress=progress, then_import="json")


@pytest.mark.slow
def test_a_process_goes_on_after_errors_and_a_crash_ends_one_job_alone(tmp_path):
    """One process takes all jobs; the second kills it, the third and fourth are refused."""
    files = {
        "good": write(tmp_path / "good.py", "return -p[0] * y"),
        "killer": str(tmp_path / "killer.py"),
        "leaver": str(tmp_path / "leaver.py"),
        "empty": str(tmp_path / "empty.py"),
    }
    Path(files["killer"]).write_text("import os\nos.abort()\n")
    Path(files["leaver"]).write_text("raise SystemExit(3)\n")
    Path(files["empty"]).write_text("print('on import')\n")
    again = write(tmp_path / "again.py", "return -p[0] * y")
    done = outcomes(
        [
            reference_of(Path(path), tmp_path / f"{Path(path).stem}.nc", optional=True)
            for path in (*files.values(), again)
        ],
        workers=1,
    )
    assert {name: outcome.ok for name, outcome in done.items()} == {
        "good": True, "killer": False, "leaver": False, "empty": False, "again": True
    }  # fmt: skip
    assert "SIGABRT" in done["killer"].message
    assert done["empty"].refused
    assert "empty.py" in done["empty"].message


@pytest.mark.slow
def test_a_refused_job_stops_the_others(tmp_path):
    refused = tmp_path / "refused.py"
    refused.write_text("")
    endless = tmp_path / "endless.py"
    endless.write_text("import time\ntime.sleep(600)\n")
    given = [reference_of(path, tmp_path / "x.nc") for path in (endless, refused)]
    with pytest.raises(GradauditError, match=r"refused\.py"):
        outcomes(given)


@pytest.mark.slow
def test_a_file_named_like_a_module_does_not_take_its_place(tmp_path):
    (tmp_path / "json.py").write_text("raise RuntimeError('the wrong json')\n")
    write(tmp_path / "mine.py", "return -p[0] * y")
    command = [str(Path(sys.executable).with_name("gradaudit")), "audit", "mine.py", *QUICKEST]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def made_up(**changes) -> Audit:
    table = judged(
        rows([0.1, 1e-13, math.nan], verdicts=["bad", "good", "horrible"]),
        digits=12.0,
        verdict=VERDICT,
    )
    table.loc[2, ["status", "indicator", "steps"]] = ["max_steps", math.inf, 1e5]
    best, reason = cheapest(worst(table), 1e-4)
    fields = {
        "model": "m.py",
        "name": "m",
        "accuracy": 1e-4,
        "truth": ReferenceSummary(status="ok", digits=12.0),
        "rows": worst(table),
        "table": table,
        "cheapest": best,
        "reason": reason,
    }
    return Audit(**{**fields, **changes})


def test_the_document_has_null_for_what_is_not_finite():
    document = strict(as_json(made_up()))
    failed = document["rows"][-1]
    assert failed["status"] == "max_steps"
    assert failed["error"] is None
    assert failed["indicator"] is None
    assert document["cheapest"]["rtol"] == 1e-4
    # The word of a gradient, and not that of the series which it belongs to.
    assert [row["gradient"] for row in document["rows"]] == ["inaccurate", "right", "none"]


def test_the_card_answers_first_and_fits_into_80_columns(capsys):
    show(made_up())
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    text = " ".join(out.split())
    for words in (
        "reference certified to 12.0 digits",
        "default tsit5, forward_ad, rtol 1e-5: NO GRADIENT (max_steps)",
        "right from no tolerance that was tried",  # the tightest one has failed
        "fails with a status: tsit5 forward_ad at 1e-5 (max_steps)",
        "cheapest for an error of 1e-4: tsit5, forward_ad, rtol 1e-4 (error below 1e-12",
        "next no setting that was tried is right for every functional",
        "tsit5 forward_ad 1 11 x",
        "All numbers: --table.",
    ):
        assert words in text


def test_the_table_on_request_has_a_row_a_setting(capsys):
    show(made_up(), table=True)
    out = capsys.readouterr().out
    assert "<1e-12" in out  # an error below what the reference resolves is a bound
    assert "terminal_y" in out
    assert "max_steps" in out
    assert not set(out) & set("┃│━─")  # no borders in a file
    assert out.count("error of the gradient in scaled parameters") == 1  # one title


def test_a_narrow_terminal_gets_every_number_whole(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    show(made_up(), table=True)
    out = capsys.readouterr().out
    out = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert "…" not in out
    assert out.count("error of the gradient in scaled parameters") == 1
    lines = out.splitlines()
    assert sum(line.strip() == "tsit5, forward_ad" for line in lines) == 1
    assert all(len(line) <= 90 for line in lines)
    for word in ("1e-4", "<1e-12", "terminal_y", "max_steps", "1e0"):
        assert word in out


def test_the_column_of_statuses_is_there_when_it_says_something(capsys):
    audit = made_up()
    show(made_up(rows=audit.rows[audit.rows["status"] == "ok"]), table=True)
    assert "status" not in capsys.readouterr().out.split("rtol  ")[-1]


def test_an_uncertified_reference_is_named_as_such(capsys):
    truth = ReferenceSummary(status="uncertified: step_underflow after t = 3", digits=0.0)
    show(made_up(truth=truth, cheapest=None, reason="it does not resolve it"))
    out = " ".join(capsys.readouterr().out.split())
    assert "reference uncertified: step_underflow after t = 3" in out
    assert "for an error of 1e-4: no setting is known, it does not resolve it" in out


def test_absurd_tolerances_are_refused_by_the_configuration_of_an_audit():
    with pytest.raises(SettingError, match="finer than float64"):
        configure(solvers=None, methods=[], tolerances={**TOLERANCES, "tightest": 1e-20})
