"""The commands for people: their options and defaults."""

import argparse
import sys
from pathlib import Path

import pytest

from gradaudit.cli.terminal import add_terminal, cache_option, model_argument, sentence


@pytest.fixture
def parser():
    made = argparse.ArgumentParser(prog="gradaudit")
    add_terminal(made.add_subparsers(required=True))
    return made


def test_a_sentence_has_a_capital_and_a_full_stop():
    assert sentence("write a PNG file") == "Write a PNG file."


def test_an_audit_has_the_defaults_that_its_help_states(parser):
    options = vars(parser.parse_args(["audit", "logistic"]))
    del options["call"], options["cache_folder"]
    assert options == {
        "model": "logistic",
        "accuracy": 1e-4,
        "solvers": None,
        "methods": None,
        "loosest": 1e-3,
        "tightest": None,  # that of a model or of a problem
        "per_decade": 1,
        "atol_factor": 1e-3,
        "max_steps": 100_000,
        "time_limit": 120.0,
        "functional": None,
        "as_json": False,
        "as_table": False,
        "limit": None,
        "output": None,
        "workers": None,
    }


def test_the_tightest_tolerance_is_that_of_a_model_or_of_a_problem(parser, monkeypatch):
    from gradaudit.cli.audit import problem, run

    found = []
    monkeypatch.setattr(run, "run", lambda **own: found.append(own["tightest"]))
    monkeypatch.setattr(problem, "run", lambda **own: found.append(own["tightest"]))
    for arguments in (["logistic"], ["a.yaml"], ["b.YML", "--tightest", "1e-9"]):
        options = vars(parser.parse_args(["audit", *arguments]))
        options.pop("call")(**options)
    assert found == [1e-8, None, 1e-9]


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "two"])
@pytest.mark.parametrize("option", ["--cores", "--per-decade"])
def test_counts_are_positive_whole_numbers(parser, option, text, capsys):
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(["audit", "logistic", option, text])
    assert f"{text!r} is not a positive whole number" in capsys.readouterr().err


def test_a_template_is_written_where_it_is_asked_for(parser, tmp_path, capsys):
    path = tmp_path / "my_model.py"
    options = vars(parser.parse_args(["new", str(path)]))
    options.pop("call")(**options)
    assert "MODEL = " in path.read_text()
    assert capsys.readouterr().out == (
        f"{path} is a complete model. Edit it, then run: gradaudit audit {path}\n"
    )


def test_the_library_is_a_table_with_aligned_columns(parser, monkeypatch, capsys):
    from gradaudit.model import loading

    monkeypatch.setattr(loading, "library_names", lambda: ["logistic", "van_der_pol"])
    options = vars(parser.parse_args(["models"]))
    options.pop("call")(**options)
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["model", "expected", "states", "parameters", "mechanism"]
    assert [row.split()[0] for row in rows] == ["logistic", "van_der_pol"]
    place = head.index("mechanism")
    assert [row[place - 2 : place] for row in rows] == ["  ", "  "]
    assert all(row[place] != " " for row in rows)


def test_the_library_fits_a_terminal_of_80_columns(parser, monkeypatch, capsys):
    from gradaudit.model import loading

    names = ["lotka_volterra_equilibrium", "logistic"]
    monkeypatch.setattr(loading, "library_names", lambda: names)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    options = vars(parser.parse_args(["models"]))
    options.pop("call")(**options)
    head, first, *wrapped, last = capsys.readouterr().out.splitlines()
    place = head.index("mechanism")
    assert max(map(len, [head, first, *wrapped, last])) <= 80
    told = [line[place:] for line in (first, *wrapped)]
    assert " ".join(told) == "uncontrolled tangent at an equilibrium"
    assert all(line[:place].isspace() for line in wrapped)
    assert last.startswith("logistic")


def test_the_cache_is_that_of_the_environment_unless_an_option_names_one(monkeypatch):
    def cache(*arguments):
        parser = argparse.ArgumentParser()
        model_argument(parser)
        cache_option(parser)
        return parser.parse_args(["logistic", *arguments]).cache

    monkeypatch.delenv("GRADAUDIT_CACHE", raising=False)
    assert cache() is None
    monkeypatch.setenv("GRADAUDIT_CACHE", "")
    assert cache() is None
    monkeypatch.setenv("GRADAUDIT_CACHE", "kept")
    assert cache() == Path("kept")
    assert cache("--cache", "other") == Path("other")
