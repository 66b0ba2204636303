"""The command `gradaudit`: one subcommand a stage, which is what the rules of the workflow call.

Nothing heavy is imported before the stage is known, so that help and errors come at once.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gradaudit import __version__
from gradaudit.defaults import DEFAULTS
from gradaudit.errors import GradauditError

_PATHS: dict[str, Any] = {"type": Path, "nargs": "+", "metavar": "PATH", "required": True}
_MAYBE_PATHS: dict[str, Any] = {"type": Path, "nargs": "*", "metavar": "PATH", "default": []}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, or 2 where the user can mend what is wrong."""
    arguments = vars(_parser().parse_args(argv))
    call: Callable[..., None] = arguments.pop("call")
    # XLA's CPU client reads it when JAX starts; small solves are twice as cheap on one thread.
    os.environ.setdefault("NPROC", "1")
    try:
        cache = arguments.pop("cache", None)
        if cache is not None:
            from gradaudit.jaxconfig import use_compilation_cache

            use_compilation_cache(cache)
        call(**arguments)
    except GradauditError as error:
        print(f"gradaudit: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of a pipe has left, as `head` does; the interpreter must not flush into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 0


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
    _add_terminal(commands)
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


def _add_figures(commands: Any) -> None:
    text = "figures of a model, of the published experiment, of the atlas"
    kinds = commands.add_parser("figures", help=text, description=_sentence(text)).add_subparsers(
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
    parser = _stage(kinds, "atlas", "the map of regimes and the indicator", of="figures")
    _atlas_tables(parser)
    _path(parser, "--output-dir", "folder to write the PNG files to")


def _add_outward(commands: Any) -> None:
    parser = _stage(commands, "report", "the report as one HTML file")
    _atlas_tables(parser)
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


def _add_terminal(commands: Any) -> None:
    text = "audit one model in the terminal: error, cost and verdict of every setting"
    parser = commands.add_parser("audit", help=text, description=_sentence(text))
    _model(parser)
    _cache(parser)
    for name, kind in (("solvers", "solvers"), ("methods", "methods")):
        default = list(DEFAULTS[name])
        parser.add_argument(
            f"--{name}",
            nargs="+",
            metavar="NAME",
            default=default,
            help=f"{kind} (default: {' '.join(default)})",
        )
    for name, number in (("loosest", 1e-3), ("tightest", 1e-8)):
        parser.add_argument(
            f"--{name}",
            type=float,
            metavar="RTOL",
            default=number,
            help=f"{name} relative tolerance (default: {number:g})",
        )
    parser.add_argument(
        "--per-decade", type=int, metavar="N", default=1, help="tolerances a decade (default: 1)"
    )
    parser.add_argument(
        "--functional", metavar="NAME", help="show this one (default: the worst of all)"
    )
    parser.add_argument(
        "--accuracies",
        nargs="+",
        type=float,
        metavar="ERROR",
        default=DEFAULTS["atlas"]["accuracies"],
        help="errors to look for the cheapest setting of (default: 1e-2 1e-4 1e-6)",
    )
    parser.add_argument("--output", type=Path, metavar="PATH", help="Parquet table to keep")
    parser.set_defaults(call=_audit)
    models = commands.add_parser("models", help="list the models of the library")
    models.set_defaults(call=_list_models)


def _stage(
    commands: Any, name: str, text: str, *, model: bool = False, of: str = ""
) -> argparse.ArgumentParser:
    """A parser whose options are the keyword arguments of the stage's function."""
    parser = commands.add_parser(name, help=text, description=_sentence(text))
    stage, function = (of, f"run_{name}") if of else (name, "run")
    if model:
        _model(parser)
        _cache(parser)
    parser.add_argument(
        "--settings",
        type=_json_object,
        metavar="JSON",
        required=True,
        help="the stage's part of the configuration, as config/README.md describes it",
    )

    def call(**arguments: Any) -> None:
        module = importlib.import_module(f"gradaudit.stages.{stage}")
        getattr(module, function)(**arguments)

    parser.set_defaults(call=call)
    return parser


def _model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="library name, or path of a .py file")


def _cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        default=os.environ.get("GRADAUDIT_CACHE") or None,
        help="keep compiled programs in this folder (default: $GRADAUDIT_CACHE, else none)",
    )


def _atlas_tables(parser: argparse.ArgumentParser) -> None:
    for name in ("audits", "verdicts", "frontier"):
        _path(parser, f"--{name}", "Parquet table of stage atlas")


def _path(parser: argparse.ArgumentParser, flag: str, text: str) -> None:
    parser.add_argument(flag, type=Path, metavar="PATH", required=True, help=text)


def _output(parser: argparse.ArgumentParser, text: str) -> None:
    _path(parser, "--output", text)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _json_object(text: str) -> dict[str, Any]:
    try:
        settings = json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"no JSON: {error}") from None
    if not isinstance(settings, dict):
        raise argparse.ArgumentTypeError("no JSON object: write {...}")
    return settings


def _audit(**arguments: Any) -> None:
    from gradaudit.audit import run

    run(**arguments)


def _list_models() -> None:
    from gradaudit.loading import library_names, load_model

    rows = [("model", "mechanism", "regime", "states", "parameters")]
    for name in library_names():
        model = load_model(name)
        rows.append((name, model.mechanism, model.regime, str(model.n), str(model.m)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip())
