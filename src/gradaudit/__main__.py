"""`python -m gradaudit` is the command `gradaudit`."""

from __future__ import annotations

import sys

from gradaudit.cli import main

if __name__ == "__main__":
    sys.exit(main())
