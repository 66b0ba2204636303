"""The command line: quick to start, and plain when something is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gradaudit import __version__
from gradaudit.cli import main as cli
from gradaudit.errors import SettingError
from gradaudit.records.code_digest import stage_names

HEAVY = ("numpy", "jax", "pandas", "xarray", "mlflow", "matplotlib")
SIMULATE = ["simulate", "logistic", "--solver", "tsit5", "--settings", "{}", "--output", "x.nc"]


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"gradaudit {__version__}\n"


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom gradaudit.cli import main as cli\n"
        "try:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"sys.exit(str([m for m in {HEAVY!r} if m in sys.modules] or ''))"
    )
    result = run_python(code)
    assert result.stderr.strip() in ("", "[]")
    assert result.stdout.startswith("usage: gradaudit")


def test_the_command_of_a_job_is_light():
    """It hands its work to a warm process, and so needs no configuration either."""
    code = (
        "import sys\nfrom gradaudit.cli import main as cli\n"
        f"sys.exit(str([m for m in {(*HEAVY, 'pydantic', 'yaml')!r} if m in sys.modules] or ''))"
    )
    assert run_python(code).stderr.strip() in ("", "[]")


def test_every_stage_has_a_command(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])
    text = capsys.readouterr().out
    commands, _, stages = text.partition("`gradaudit STAGE --help` describes each:")
    assert [stage for stage in stage_names() if stage not in stages] == []
    for command in ("audit", "check", "new", "models", "certify"):  # what people call comes first
        assert f"\n    {command} " in commands


def test_a_command_that_is_none_is_told_which_is_meant(capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["aduit", "logistic"])
    assert "no command 'aduit' (did you mean 'audit'?)" in capsys.readouterr().err


def test_messages_have_the_width_of_the_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    for columns, widest in (("60", 60), ("100", 100)):
        monkeypatch.setenv("COLUMNS", columns)
        assert cli.main(["audit", "logisti"]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert widest - 20 < max(map(len, lines)) <= widest
    monkeypatch.setattr("sys.stderr.isatty", lambda: False)
    assert cli.main(["audit", "logisti"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1  # for log files and grep


def test_settings_that_are_no_json_are_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main([*SIMULATE[:-3], '{"a":', *SIMULATE[-2:]])
    assert "no JSON" in capsys.readouterr().err


def test_the_users_errors_have_no_traceback(capsys):
    code = cli.main(["audit", "no_such_model", "--tightest", "1e-3"])
    captured = capsys.readouterr()
    assert code == 2
    assert captured.err.startswith("gradaudit: no model 'no_such_model'")
    assert "Traceback" not in captured.err


def test_other_errors_keep_their_traceback(monkeypatch):
    def fail(**_):
        raise ZeroDivisionError("in a stage")

    monkeypatch.setattr("gradaudit.stages.simulate.run", fail)
    with pytest.raises(ZeroDivisionError, match="in a stage"):
        cli.main(SIMULATE)


def test_a_stage_gets_its_arguments(monkeypatch):
    seen = {}
    monkeypatch.setattr("gradaudit.stages.simulate.run", lambda **given: seen.update(given))
    assert cli.main([*SIMULATE[:-3], '{"a": 1e-6}', *SIMULATE[-2:]]) == 0
    assert seen == {
        "model": "logistic",
        "solver": "tsit5",
        "settings": {"a": 1e-6},
        "output": Path("x.nc"),
    }


def test_errors_of_a_stage_that_users_can_mend_are_messages(monkeypatch, capsys):
    def refuse(**_):
        raise SettingError("write 1e-6.")

    monkeypatch.setattr("gradaudit.stages.simulate.run", refuse)
    assert cli.main(SIMULATE) == 2
    assert capsys.readouterr().err == "gradaudit: write 1e-6.\n"


def test_jax_is_asked_for_one_thread(monkeypatch):
    monkeypatch.delenv("NPROC", raising=False)
    monkeypatch.setattr("gradaudit.stages.simulate.run", lambda **_: None)
    cli.main(SIMULATE)
    assert cli.os.environ["NPROC"] == "1"


def test_the_module_is_the_command():
    result = subprocess.run(
        [sys.executable, "-m", "gradaudit", "--version"], capture_output=True, text=True, check=True
    )
    assert result.stdout == f"gradaudit {__version__}\n"
