"""The warm process of a workflow, as `gradaudit.pipeline.prefork` starts it."""

from __future__ import annotations

import sys
from pathlib import Path

from gradaudit.cli.main import watched
from gradaudit.pipeline.prefork import serve

if __name__ == "__main__":
    serve(Path(sys.argv[1]), watched)
