"""One subcommand per stage, made from what the stages declare."""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradaudit.cli.terminal import cache_option, model_argument, sentence
from gradaudit.pipeline.flow import is_figures, is_list, option_of, stages
from gradaudit.pipeline.job_times import timed
from gradaudit.records.stage import Stage


def add_stages(commands: Any) -> None:
    """Add a subcommand for every stage; figures have one more level, their kind."""
    kinds: Any = None
    for name, stage in stages().items():
        if is_figures(name):
            if kinds is None:
                text = "figures of one model, of an experiment, or of all models together"
                parser = commands.add_parser("figures", description=sentence(text))
                kinds = parser.add_subparsers(title="figures", metavar="KIND", required=True)
            _add_stage(kinds, stage, "figures", kind=name.partition("_")[2])
        else:
            _add_stage(commands, stage, name)


def _add_stage(commands: Any, stage: Stage, name: str, *, kind: str = "") -> None:
    """A parser whose options are the keyword arguments of the stage's function."""
    # Without a text in the list of commands: `make run` calls stages, and people seldom do.
    shown = {"help": stage.about} if kind else {}
    parser = commands.add_parser(kind or name, description=sentence(stage.about), **shown)
    if stage.process == "solving":
        model_argument(parser)
        cache_option(parser)
    if "solver" in stage.each:
        parser.add_argument("--solver", required=True, metavar="NAME", help="tsit5, for example")
    for option, reference in stage.inputs.items():
        several: dict[str, Any] = {"nargs": "*"} if is_list(stage, reference) else {}
        if not several and stage.problems == "both":
            several = {"nargs": "?"}
        written_by = "figures" if reference == "figures" else reference.partition(".")[0]
        kinds = "files" if is_list(stage, reference) else "file"
        _add_path(parser, option, f"{kinds} of stage {written_by}", **several)
    for option, about in stage.params.items():
        _add_path(parser, option, about, required=False)
    parser.add_argument(
        "--settings",
        type=_json_object,
        metavar="JSON",
        required=True,
        help="the stage's part of the configuration, as config/README.md describes it",
    )
    if kind:
        _add_path(parser, "output_dir", "folder to write the PNG files to")
    else:
        for option, made in stage.outputs.items():
            _add_path(parser, option, f"to write: {made.about}")

    def call(**arguments: Any) -> int | None:
        # What they import belongs to an extra, and help does without it.
        from gradaudit.pipeline import expected, leftovers, supervised

        def work() -> None:
            with timed(name) as clock, leftovers.at_work():
                expected.check_inputs(stage, _paths(stage, arguments))
                module = importlib.import_module(f"gradaudit.stages.{name}")
                clock.imported()
                module.run(*([kind] if kind else []), **arguments)

        of = " ".join(str(arguments[key]) for key in stage.each if key in arguments)
        about = f"stage {name}" + (f" {kind}" if kind else "") + (f" of {of}" if of else "")
        if supervised.watching:
            return supervised.supervised(work, about)
        work()
        return None

    parser.set_defaults(call=call)


def _paths(stage: Stage, arguments: Mapping[str, Any]) -> dict[str, list[Path]]:
    """The files of each input that was given."""
    given = {option: arguments[option] for option in stage.inputs}
    return {
        option: value if isinstance(value, list) else [value]
        for option, value in given.items()
        if value is not None
    }


def _add_path(
    parser: argparse.ArgumentParser, name: str, about: str, *, required: bool = True, **more: Any
) -> None:
    parser.add_argument(
        option_of(name), type=Path, metavar="PATH", required=required, help=about, **more
    )


def _json_object(text: str) -> dict[str, Any]:
    try:
        settings = json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"no JSON: {error}") from None
    if not isinstance(settings, dict):
        raise argparse.ArgumentTypeError("no JSON object: write {...}")
    return settings
