"""The command `gradaudit`: one subcommand per stage, called by the rules of the workflow.

Nothing heavy is imported before the stage is known, so that help and errors come at once.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gradaudit import __version__
from gradaudit.backend.xla_flags import compile_loops_whole
from gradaudit.cli.certify import add_certify
from gradaudit.cli.said import say
from gradaudit.cli.stages import add_stages
from gradaudit.cli.terminal import add_terminal
from gradaudit.errors import GradauditError, ModelWarning, extras_by_name
from gradaudit.model import patience
from gradaudit.model.spec import hint
from gradaudit.pipeline import prefork, supervised

COLLECTED_AFTER = 50_000
"""New objects. Tracing makes many that last: to look for cycles after 700 takes a tenth of it."""


def command() -> int:
    """The command as it was typed, run by a warm process of the workflow if there is one."""
    code = prefork.through(sys.argv[1:])
    return watched() if code is None else code


def watched(argv: Sequence[str] | None = None) -> int:
    """`main` in a process that is new, and watches the job; see `gradaudit.pipeline.supervised`."""
    supervised.watching = True
    return main(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, or 2 for an error that the user can correct.

    Another code is the command's own.
    """
    try:
        with extras_by_name("the command gradaudit"):
            arguments = vars(_parser().parse_args(argv))
    except GradauditError as error:
        say(f"gradaudit: {error}")
        return 2
    call: Callable[..., int | None] = arguments.pop("call")
    gc.set_threshold(COLLECTED_AFTER, *gc.get_threshold()[1:])
    # XLA's CPU client reads it when JAX starts; small solves are twice as cheap on one thread.
    os.environ.setdefault("NPROC", "1")
    os.environ.setdefault(patience.VARIABLE, str(patience.DEFAULT))
    compile_loops_whole()  # here, too, for a job of a warm process has the environment of its own
    try:
        cache = arguments.pop("cache", None)
        if cache is not None:
            from gradaudit.backend.jax_setup import use_compilation_cache

            use_compilation_cache(cache)
        with _plain_warnings(), extras_by_name("this command"):
            return call(**arguments) or 0
    except GradauditError as error:
        say(f"gradaudit: {error}")
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
                say(f"gradaudit: warning: {message}")
            else:
                show(message, category, *place)

        warnings.showwarning = plain  # type: ignore[assignment]
        yield


class _Parser(argparse.ArgumentParser):
    """Says which command is meant where there is no such one."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if isinstance(action, argparse._SubParsersAction) and value not in action.choices:
            known, shown = list(action.choices), [own.dest for own in action._choices_actions]
            raise argparse.ArgumentError(
                None,
                f"there is no command {value!r}{hint(str(value), known)}; "
                f"choose from {', '.join(shown)}",
            )
        super()._check_value(action, value)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="gradaudit",
        description="Measures where forward-mode gradients through ODE solvers can be trusted.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gradaudit {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_terminal(commands)
    add_certify(commands)
    people = set(commands.choices)
    add_stages(commands)
    stages = textwrap.fill(
        ", ".join(name for name in commands.choices if name not in people) + ".",
        width=78,
        initial_indent="  ",
        subsequent_indent="  ",
    )
    parser.epilog = (
        "The whole study is run by `make run`, which calls one stage after another;\n"
        f"`gradaudit STAGE --help` describes each:\n{stages}\n"
    )
    return parser
