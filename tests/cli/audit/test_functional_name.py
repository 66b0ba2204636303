"""A functional is known or refused before anything is solved."""

import pytest

from gradaudit.cli import main as cli
from gradaudit.cli.audit import run
from gradaudit.cli.audit.functional_name import check_functional
from gradaudit.errors import SettingError
from gradaudit.evaluation.functionals import families
from gradaudit.model.loading import load_model
from gradaudit.pipeline.config import Study

KINDS = Study().functionals.kinds


@pytest.mark.parametrize(
    "name", ["terminal_y", "trace_sse_noisy", "log_likelihood", "time_average_y", "maximum_y"]
)
def test_what_a_model_can_have_is_accepted(name):
    check_functional(load_model("logistic"), name, KINDS)


def test_so_are_occurrences_of_events():
    model = load_model("bouncing_ball")
    event = next(iter(model.events))
    check_functional(model, f"event_time_{event}_2", KINDS)
    check_functional(model, f"event_value_{model.observables[0]}_{event}_1", KINDS)
    with pytest.raises(SettingError, match="unknown functional"):
        check_functional(model, "event_time_nosuch_2", KINDS)


def test_every_kind_of_the_package_has_possible_names():
    assert set(KINDS) <= set(families())


def test_a_misspelt_name_is_refused_before_anything_is_solved(monkeypatch, capsys):
    def never(*_, **__):
        raise AssertionError("a job was started")

    monkeypatch.setattr(run, "run_jobs", never)
    assert cli.main(["audit", "logistic", "--functional", "terminal_x"]) != 0
    told = capsys.readouterr().err
    assert "unknown functional 'terminal_x' (did you mean 'terminal_y'?)" in told
    assert "log_likelihood" in told
