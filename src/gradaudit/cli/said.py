"""What the command says on stderr, in lines of the terminal's width."""

from __future__ import annotations

import shutil
import sys
import textwrap

NARROWEST = 40


def say(text: str) -> None:
    """A message of one paragraph; whole where stderr is no terminal, for log files and grep."""
    if sys.stderr.isatty():
        width = max(shutil.get_terminal_size().columns, NARROWEST)
        text = textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
    print(text, file=sys.stderr)
