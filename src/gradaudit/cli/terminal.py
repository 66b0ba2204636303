"""The commands for people: audit a model, begin one, list the library."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import textwrap
from pathlib import Path
from typing import Any

from gradaudit.errors import SettingError

TIGHTEST = 1e-8
"""The default of --tightest, for a model."""

ATOL_FACTOR = 1e-3
"""The default of --atol-factor, which is that of a configuration."""

AUDIT = """\
The card says whether the gradient in the default setting is right: that of
forward AD, at the tolerance nearest to 1e-6, by the solver of least work. It
says from which tolerance on it is right, which settings fail, which is the
cheapest for --accuracy, and what to do next. Below it are the correct digits
in every setting, for the functional with the largest error.

A gradient is right up to an error of 1e-2, inaccurate up to 0.5, and wrong
above. The error is that of the gradient in scaled parameters, relative to its
norm, or to its natural scale where the gradient is zero. docs/verdicts.md
explains every line.

Default solvers are tsit5, dopri8 and, down to 1e-6, kvaerno5; those named by
--solvers go down to --tightest. The solver auto is tsit5, or rodas5p where a
rough solve, which passes over events, shows that the model is stiff. For more
settings, figures and a report, name the model in config/config.yaml and call
`make run`.

A PATH that ends in .yaml or .yml is an estimation problem in PEtab. The error
is then that of the gradient of its log-likelihood at the nominal parameters,
on the estimation scale, against the certified one (docs/petab.md). The card
says which condition and observable it comes from. Default solvers are tsit5,
to 1e-12, and rodas5p, to 1e-9, by forward_ad and forward_sensitivity, and by
saltation if there may be events, in one process; --cores is how many
conditions are certified at a time. Implicit solvers may take a tenth of
--max-steps.

exit code: 0 if at least one solve succeeded, whatever its error; 1 if none
did; 2 if the model or an option is invalid. With --fail-above: 0 if the error
in the default setting is surely at most that, 1 if it is surely above or there
is no gradient, 3 if the reference has too few digits.
"""


CHECK = """\
Settings and errors are those of `gradaudit audit`. A baseline that does not
exist is written. A gradient is worse if it existed and does not exist any
more, or if its error is larger than --accuracy and surely more than twice the
old one. An error that is not measured is inconclusive, and does not fail.

exit code: 0 if no gradient is proven to be worse, 1 if one is, 2 if the model,
an option or the baseline is invalid.
"""


def add_terminal(commands: Any) -> None:
    """Add `audit`, `check`, `new` and `models`."""
    _add_audit(commands)
    _add_check(commands)
    text = "write a commented template of a model"
    new = commands.add_parser("new", help=text, description=sentence(text))
    new.add_argument("path", type=Path, metavar="PATH", help="file to write, such as my_model.py")
    new.set_defaults(call=_new)
    models = commands.add_parser("models", help="list the models of the library")
    models.set_defaults(call=_list_models)


def model_argument(parser: argparse.ArgumentParser) -> None:
    """The positional argument MODEL."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="library name, or path of a file; MODEL@NAME=VALUE,... sets axes, parameters, "
        "initial states and t_end",
    )


def cache_option(
    parser: argparse.ArgumentParser, *, dest: str = "cache", otherwise: str = "none"
) -> None:
    """The option --cache; `otherwise` is what the help says of where nothing is named."""
    parser.add_argument(
        "--cache",
        dest=dest,
        type=Path,
        metavar="DIR",
        default=os.environ.get("GRADAUDIT_CACHE") or None,
        help=f"keep compiled programs in this folder (default: $GRADAUDIT_CACHE, else {otherwise})",
    )


def sentence(text: str) -> str:
    """A text with a capital and a full stop."""
    return f"{text[0].upper()}{text[1:]}."


def _add_audit(commands: Any) -> None:
    text = "audit one model in the terminal: is its gradient right, and what to do"
    parser = commands.add_parser(
        "audit",
        help=text,
        description=sentence(text),
        epilog=AUDIT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_settings(parser)
    parser.add_argument(
        "--json",
        dest="as_json",
        action="store_true",
        help="print a JSON document on stdout, and nothing else",
    )
    parser.add_argument(
        "--table",
        dest="as_table",
        action="store_true",
        help="print error and cost of every setting below the card",
    )
    parser.add_argument(
        "--fail-above",
        dest="limit",
        type=float,
        metavar="ERROR",
        help="for scripts: exit code 1 if the default setting has a larger error",
    )
    parser.set_defaults(call=_audit)


def _add_check(commands: Any) -> None:
    text = "audit a model, and fail where a gradient is proven worse than in a baseline"
    parser = commands.add_parser(
        "check",
        help=text,
        description=sentence(text),
        epilog=CHECK,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_settings(parser)
    parser.add_argument(
        "--baseline", type=Path, metavar="PATH", required=True, help="JSON file to compare with"
    )
    parser.add_argument(
        "--update", action="store_true", help="write the baseline again if nothing is worse"
    )
    parser.set_defaults(call=_check)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """What is solved, and how."""
    from gradaudit.pipeline.config.study import Study

    model_argument(parser)
    parser.add_argument(
        "--accuracy",
        type=float,
        metavar="ERROR",
        default=1e-4,
        help="the error that is wanted (default: 1e-4)",
    )
    parser.add_argument("--solvers", nargs="+", metavar="NAME", help="solvers (default: see below)")
    methods = " ".join(Study().methods)
    parser.add_argument(
        "--methods",
        nargs="+",
        metavar="NAME",
        help=f"methods (default: {methods}, the last only for a model with events)",
    )
    _add_tolerances(parser)
    parser.add_argument(
        "--functional",
        metavar="NAME",
        help="the functional to show (default: the one with the largest error)",
    )
    parser.add_argument(
        "--output", type=Path, metavar="PATH", help="write the table of all functionals, as Parquet"
    )
    parser.add_argument(
        "--cores",
        dest="workers",
        type=positive,
        metavar="N",
        help="processes at a time (default: all cores)",
    )
    # Not "cache", which makes this process, and not its children, import JAX.
    cache_option(
        parser,
        dest="cache_folder",
        otherwise="one of this user's; none if GRADAUDIT_CACHE is set and empty",
    )


def _add_tolerances(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--loosest",
        type=float,
        metavar="RTOL",
        default=1e-3,
        help="loosest relative tolerance (default: 0.001)",
    )
    parser.add_argument(
        "--tightest",
        type=float,
        metavar="RTOL",
        help=f"tightest relative tolerance (default: {TIGHTEST:g}; of a problem see below)",
    )
    parser.add_argument(
        "--per-decade",
        type=positive,
        metavar="N",
        default=1,
        help="tolerances per decade (default: 1)",
    )
    parser.add_argument(
        "--atol-factor",
        type=float,
        metavar="FACTOR",
        default=ATOL_FACTOR,
        help="absolute tolerance over the relative one, in the unit of the states (default: "
        f"{ATOL_FACTOR:g})",
    )
    parser.add_argument(
        "--max-steps",
        type=int,
        metavar="N",
        default=100_000,
        help="steps after which a solve is given up (default: 100000)",
    )
    parser.add_argument(
        "--time-limit",
        type=float,
        metavar="SECONDS",
        default=120.0,
        help="time for the reference; digits certified by then are used (default: 120)",
    )


def positive(text: str) -> int:
    """A positive whole number of the command line."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return number


def _audit(
    *,
    model: str,
    tightest: float | None,
    functional: str | None,
    workers: int | None,
    cache_folder: Path | None,
    **arguments: Any,
) -> int:
    from gradaudit.backend.cache_folder import made, prepared_folder
    from gradaudit.cli.audit import problem
    from gradaudit.model.spec import is_problem

    if cache_folder is not None:
        made(cache_folder)  # before anything starts
    elif "GRADAUDIT_CACHE" not in os.environ:
        cache_folder = prepared_folder()
    if is_problem(model):
        if functional is not None:
            raise SettingError(
                "--functional is for a model; the functional of a problem is its log-likelihood."
            )
        if cache_folder is not None:
            from gradaudit.backend.jax_setup import use_compilation_cache

            use_compilation_cache(cache_folder)
        return problem.run(path=model, tightest=tightest, workers=workers, **arguments)
    from gradaudit.cli.audit.run import run

    return run(
        model=model,
        tightest=TIGHTEST if tightest is None else tightest,
        functional=functional,
        workers=workers,
        cache_folder=cache_folder,
        **arguments,
    )


def _check(*, baseline: Path, update: bool, accuracy: float, **arguments: Any) -> int:
    from gradaudit.cli.check import compare

    def finish(rows: Any, name: str) -> int:
        return compare(rows, name=name, baseline=baseline, update=update, accuracy=accuracy)

    silent: dict[str, Any] = {"as_json": False, "as_table": False, "limit": None}
    return _audit(accuracy=accuracy, finish=finish, **silent, **arguments)


def _new(path: Path) -> None:
    from gradaudit.model.template import write

    write(path)
    print(f"{path} is a complete model. Edit it, then run: gradaudit audit {path}")


def _list_models() -> None:
    from importlib import import_module

    from gradaudit.model.loading import library_names

    rows = [("model", "expected", "states", "parameters", "mechanism")]
    for name in library_names():
        # as it is declared: to load it would check it as well, which takes a second for each
        model = import_module(f"gradaudit.library.{name}").MODEL
        rows.append((name, model.regime, str(model.n), str(model.m), model.mechanism))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    # In a pipe one line per model.
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for row in rows:
        line = "  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip()
        indent = " " * (sum(widths[:-1]) + 2 * len(widths[:-1]))
        print(textwrap.fill(line, room or len(line), subsequent_indent=indent))
