"""The commands of the stages: their options are the arguments of the stage's function."""

import argparse
import inspect
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gradaudit.cli.stages import add_stages
from gradaudit.pipeline import expected
from gradaudit.pipeline.flow import stages

EVALUATE = ["evaluate", "--reference", "r.nc", "--output", "o.parquet", "--settings"]


@pytest.fixture
def parser():
    made = argparse.ArgumentParser(prog="gradaudit", exit_on_error=False)
    add_stages(made.add_subparsers(required=True))
    return made


def parsed(parser, arguments):
    options = vars(parser.parse_args(arguments))
    return options.pop("call"), options


def test_options_become_paths_lists_and_settings(parser):
    _, options = parsed(parser, [*EVALUATE, '{"good": 1}', "--gradients", "a.nc", "b.nc"])
    assert options == {
        "reference": Path("r.nc"),
        "gradients": [Path("a.nc"), Path("b.nc")],
        "settings": {"good": 1},
        "output": Path("o.parquet"),
    }


@pytest.mark.parametrize(("text", "reason"), [("{", "no JSON: "), ("[1]", "no JSON object")])
def test_settings_are_an_object(parser, text, reason, capsys):
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args([*EVALUATE, text])
    assert reason in capsys.readouterr().err


def test_a_required_option_that_is_missing_is_named(parser, capsys):
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(["evaluate", "--settings", "{}", "--output", "o"])
    assert "--reference" in capsys.readouterr().err


def test_figures_have_one_command_per_kind_and_a_folder(parser):
    inputs = [("--" + name.replace("_", "-"), "x") for name in stages()["figures_trust"].inputs]
    arguments = [text for pair in inputs for text in pair]
    _, options = parsed(
        parser, ["figures", "trust", *arguments, "--output-dir", "d", "--settings", "{}"]
    )
    assert options.pop("output_dir") == Path("d")
    assert options.pop("settings") == {}
    assert options == dict.fromkeys(stages()["figures_trust"].inputs, Path("x"))


@pytest.mark.parametrize("name", [n for n in stages() if not n.startswith("figures")])
def test_options_are_arguments_of_the_function(name, parser):
    """Read from the source of `run`, without the import of its packages."""
    stage = stages()[name]
    source = (Path(inspect.getfile(add_stages)).parents[1] / "stages" / f"{name}.py").read_text()
    options = {*stage.inputs, *stage.outputs, *stage.params}
    run = source.partition("def run(")[2].partition(") -> None:")[0]
    named = {o for o in options if f"{o}:" in run}
    rest = options - named
    assert not rest or "**" in run, rest


def test_the_stage_is_called_with_its_options(parser, monkeypatch, capsys):
    calls = []
    fake = SimpleNamespace(run=lambda *kinds, **options: calls.append((kinds, options)))
    monkeypatch.setitem(sys.modules, "gradaudit.stages.evaluate", fake)
    checked = []
    monkeypatch.setattr(expected, "check_inputs", lambda *inputs: checked.append(inputs))
    call, options = parsed(parser, [*EVALUATE, json.dumps({"a": 1}), "--gradients"])
    call(**options)
    assert calls == [((), options)]
    assert options["gradients"] == []
    assert checked == [(stages()["evaluate"], {"reference": [Path("r.nc")], "gradients": []})]
    assert "evaluate" in capsys.readouterr().err
