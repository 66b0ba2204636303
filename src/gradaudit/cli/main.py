"""The command `gradaudit`: one subcommand a stage, which is what the rules of the workflow call.

Nothing heavy is imported before the stage is known, so that help and errors come at once.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gradaudit import __version__
from gradaudit.backend.xla_flags import compile_loops_whole
from gradaudit.cli.terminal import add_terminal, cache_option, model_argument, sentence
from gradaudit.errors import GradauditError, ModelWarning, extras_by_name
from gradaudit.pipeline import prefork
from gradaudit.pipeline.job_times import timed

_PATHS: dict[str, Any] = {"type": Path, "nargs": "+", "metavar": "PATH", "required": True}
_MAYBE_PATHS: dict[str, Any] = {"type": Path, "nargs": "*", "metavar": "PATH", "default": []}


def command() -> int:
    """The command as it was typed, run by a warm process of the workflow if there is one."""
    code = prefork.through(sys.argv[1:])
    return main() if code is None else code


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, or 2 where the user can mend what is wrong.

    Another code is the command's own.
    """
    try:
        with extras_by_name("the command gradaudit"):
            arguments = vars(_parser().parse_args(argv))
    except GradauditError as error:
        print(f"gradaudit: {error}", file=sys.stderr)
        return 2
    call: Callable[..., int | None] = arguments.pop("call")
    # XLA's CPU client reads it when JAX starts; small solves are twice as cheap on one thread.
    os.environ.setdefault("NPROC", "1")
    compile_loops_whole()  # here, too, for a job of a warm process has the environment of its own
    try:
        cache = arguments.pop("cache", None)
        if cache is not None:
            from gradaudit.backend.jax_setup import use_compilation_cache

            use_compilation_cache(cache)
        with _plain_warnings(), extras_by_name("this command"):
            return call(**arguments) or 0
    except GradauditError as error:
        print(f"gradaudit: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of a pipe has left, as `head` does; the interpreter must not flush into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 0


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show a warning about a model as a line of its own, without the place in our code."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", ModelWarning)
        show = warnings.showwarning

        def plain(message: Warning | str, category: type[Warning], *place: Any) -> None:
            if issubclass(category, ModelWarning):
                print(f"gradaudit: warning: {message}", file=sys.stderr)
            else:
                show(message, category, *place)

        warnings.showwarning = plain  # type: ignore[assignment]
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gradaudit",
        description="Measures where forward-mode gradients through ODE solvers can be trusted.",
        epilog="The whole atlas is run by `make run`; a stage alone by `gradaudit STAGE --help`.",
    )
    parser.add_argument("--version", action="version", version=f"gradaudit {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_solving(commands)
    _add_tables(commands)
    _add_figures(commands)
    _add_outward(commands)
    add_terminal(commands)
    return parser


def _add_solving(commands: Any) -> None:
    for stage, text in (
        ("simulate", "states of a model by one solver at every tolerance"),
        ("gradients", "sensitivities of a model by one solver, every method and tolerance"),
    ):
        parser = _stage(commands, stage, text, model=True)
        parser.add_argument("--solver", required=True, metavar="NAME", help="tsit5, for example")
        _output(parser, "netCDF file to write")
    parser = _stage(commands, "reference", "certified states and sensitivities", model=True)
    _output(parser, "netCDF file to write")
    parser = _stage(commands, "experiment", "the published experiment on a model", model=True)
    _output(parser, "Parquet table to write")
    _path(parser, "--traces", "netCDF file to write the traces to")
    parser = _stage(commands, "sweep", "a model along its first parameter", model=True)
    _output(parser, "netCDF file to write")


def _add_tables(commands: Any) -> None:
    parser = _stage(commands, "evaluate", "errors, attribution and verdicts of a model")
    _path(parser, "--reference", "netCDF file of stage reference")
    parser.add_argument("--gradients", help="netCDF files of stage gradients", **_PATHS)
    _output(parser, "Parquet table to write")
    parser = _stage(commands, "atlas", "every model together: audits, verdicts, frontiers")
    parser.add_argument("--tables", help="Parquet tables of stage evaluate", **_PATHS)
    _path(parser, "--audits", "Parquet table to write: every row")
    _path(parser, "--verdicts", "Parquet table to write: one row a ladder of tolerances")
    _path(parser, "--frontier", "Parquet table to write: the cheapest settings")
    _path(parser, "--laws", "Parquet table to write: scaling laws of the error")
    _path(parser, "--ranking", "Parquet table to write: kinds of functionals")
    _path(parser, "--remedies", "Parquet table to write: what mends a gradient that is not good")
    _path(parser, "--regimes", "Parquet table to write: mechanism by method")
    parser = _stage(commands, "trust", "what tells a bad gradient without a reference")
    _path(parser, "--audits", "Parquet table of stage atlas")
    _path(parser, "--skills", "Parquet table to write: one row an indicator or score")
    _path(parser, "--predictions", "Parquet table to write: scores on mechanisms left out")
    _path(parser, "--calibrations", "Parquet table to write: how often an interval holds")
    _path(parser, "--misses", "Parquet table to write: bad gradients without alarm")
    _path(parser, "--scores", "JSON file to write: the scores")


def _add_figures(commands: Any) -> None:
    text = "figures of a model, of the published experiment, of the atlas"
    kinds = commands.add_parser("figures", help=text, description=sentence(text)).add_subparsers(
        title="figures", metavar="KIND", required=True
    )
    parser = _stage(kinds, "model", "convergence, attribution, work and precision", of="figures")
    _path(parser, "--table", "Parquet table of stage evaluate")
    _path(parser, "--reference", "netCDF file of stage reference")
    _path(parser, "--output-dir", "folder to write the PNG files to")
    parser = _stage(kinds, "experiment", "the published experiment", of="figures")
    _path(parser, "--table", "Parquet table of stage experiment")
    _path(parser, "--traces", "netCDF file of stage experiment")
    _output(parser, "PNG file to write")
    parser = _stage(kinds, "sweep", "a model along its first parameter", of="figures")
    _path(parser, "--sweep", "netCDF file of stage sweep")
    _output(parser, "PNG file to write")
    parser = _stage(kinds, "trust", "skill of the indicators, and the score", of="figures")
    _path(parser, "--skills", "Parquet table of stage trust")
    _path(parser, "--predictions", "Parquet table of stage trust")
    _path(parser, "--output-dir", "folder to write the PNG files to")
    parser = _stage(kinds, "atlas", "maps of regimes, laws, functionals, remedies", of="figures")
    _atlas_tables(parser)
    _path(parser, "--output-dir", "folder to write the PNG files to")


def _add_outward(commands: Any) -> None:
    parser = _stage(commands, "report", "the report as one HTML file")
    _atlas_tables(parser)
    parser.add_argument(
        "--skill", type=Path, metavar="PATH", help="table of the skill of the indicators"
    )
    parser.add_argument("--logs", type=Path, metavar="PATH", help="folder of the jobs' logs")
    parser.add_argument("--experiments", help="tables of stage experiment", **_MAYBE_PATHS)
    parser.add_argument("--references", help="files of stage reference", **_MAYBE_PATHS)
    parser.add_argument("--figures", help="PNG files of stage figures", **_MAYBE_PATHS)
    _output(parser, "HTML file to write")
    parser = _stage(commands, "track", "log the results to MLflow")
    parser.add_argument("--tables", help="Parquet tables of stage evaluate", **_PATHS)
    parser.add_argument("--references", help="files of stage reference", **_PATHS)
    parser.add_argument("--experiments", help="tables of stage experiment", **_MAYBE_PATHS)
    _path(parser, "--verdicts", "Parquet table of stage atlas")
    parser.add_argument("--figures", help="PNG files of stage figures", **_MAYBE_PATHS)
    _output(parser, "JSON file to write: what was logged")


def _stage(
    commands: Any, name: str, text: str, *, model: bool = False, of: str = ""
) -> argparse.ArgumentParser:
    """A parser whose options are the keyword arguments of the stage's function."""
    parser = commands.add_parser(name, help=text, description=sentence(text))
    stage, function = (of, f"run_{name}") if of else (name, "run")
    if model:
        model_argument(parser)
        cache_option(parser)
    parser.add_argument(
        "--settings",
        type=_json_object,
        metavar="JSON",
        required=True,
        help="the stage's part of the configuration, as config/README.md describes it",
    )

    def call(**arguments: Any) -> None:
        with timed(stage) as clock:
            module = importlib.import_module(f"gradaudit.stages.{stage}")
            clock.imported()
            getattr(module, function)(**arguments)

    parser.set_defaults(call=call)
    return parser


def _atlas_tables(parser: argparse.ArgumentParser) -> None:
    for name in ("audits", "verdicts", "frontier", "laws", "ranking", "remedies", "regimes"):
        _path(parser, f"--{name}", "Parquet table of stage atlas")


def _path(parser: argparse.ArgumentParser, flag: str, text: str) -> None:
    parser.add_argument(flag, type=Path, metavar="PATH", required=True, help=text)


def _output(parser: argparse.ArgumentParser, text: str) -> None:
    _path(parser, "--output", text)


def _json_object(text: str) -> dict[str, Any]:
    try:
        settings = json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"no JSON: {error}") from None
    if not isinstance(settings, dict):
        raise argparse.ArgumentTypeError("no JSON object: write {...}")
    return settings
