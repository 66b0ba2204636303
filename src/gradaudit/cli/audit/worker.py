"""A process that runs commands of `gradaudit`, one a line of stdin, for `gradaudit audit`.

What a command says goes to stderr, and a line that begins with `END` and has its exit code follows.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence

END = "\x1egradaudit: end "


def serve() -> None:
    """Run commands until stdin ends."""
    commands = os.fdopen(os.dup(0), encoding="utf-8")
    # A model's file that reads stdin must not take the next command.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for line in commands:
        code = run(json.loads(line))
        sys.stdout.flush()
        print(f"{END}{code}", file=sys.stderr, flush=True)


def run(arguments: Sequence[str]) -> int:
    """The exit code of one command."""
    from gradaudit.cli.main import main

    try:
        return main(arguments)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 2
    except Exception:
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    serve()
