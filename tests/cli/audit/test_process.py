"""A job of an audit: whatever a stage does, the parent gets an outcome."""

import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from gradaudit.cli.audit import process
from gradaudit.cli.audit.job import Job, JobOutcome
from gradaudit.errors import ModelWarning, SettingError


@pytest.fixture
def outcome(monkeypatch):
    """The outcome of a job whose stage is the given function."""

    def make(run) -> JobOutcome:
        monkeypatch.setitem(sys.modules, "gradaudit.stages.pretended", SimpleNamespace(run=run))
        job = Job(label="a job", stage="pretended", arguments={"output": Path("x")})
        return process.run(job)

    return make


def raising(error):
    def run(**arguments):
        raise error

    return run


def test_a_stage_is_called_with_its_arguments_and_a_report(outcome):
    calls = []
    assert outcome(lambda **arguments: calls.append(arguments)).ok
    assert calls[0].pop("report") is process._report
    assert calls == [{"output": Path("x")}]


def test_what_the_package_refuses_is_told_apart_from_what_fails(outcome):
    refused = outcome(raising(SettingError("rtol is -1")))
    assert (refused.message, refused.refused, refused.ok) == ("rtol is -1", True, False)
    failed = outcome(raising(ZeroDivisionError("division by zero")))
    assert failed.message == "ZeroDivisionError: division by zero"
    assert not failed.refused
    assert not failed.ok


def test_a_model_that_ends_the_process_does_not(outcome):
    assert outcome(raising(SystemExit(3))).message == (
        "the model ended the process with exit code 3"
    )


def test_warnings_on_the_model_are_handed_over_and_no_others(outcome):
    def run(**arguments):
        warnings.warn("no unit", ModelWarning, stacklevel=1)
        warnings.warn("no unit", ModelWarning, stacklevel=1)
        warnings.warn("old numpy", DeprecationWarning, stacklevel=1)

    found = outcome(run)
    assert found.ok
    assert found.warnings == ("no unit", "no unit")


def test_progress_goes_to_the_parent(outcome, monkeypatch):
    sent = []
    monkeypatch.setattr(process, "_reports", SimpleNamespace(send=sent.append))
    outcome(lambda *, report, output: report(0.5, "half"))
    assert sent == [(0.5, "half")]


def test_without_a_parent_progress_goes_nowhere(outcome):
    assert outcome(lambda *, report, output: report(0.5, "half")).ok
