"""`python -m gradaudit` is the command `gradaudit`."""

from __future__ import annotations

import sys

from gradaudit.cli.main import command

if __name__ == "__main__":
    sys.exit(command())
