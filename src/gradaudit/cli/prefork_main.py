"""The warm process of a workflow, as `gradaudit.pipeline.prefork` starts it."""

from __future__ import annotations

import sys
from pathlib import Path

from gradaudit.cli.main import main
from gradaudit.pipeline.prefork import STAGES, serve


def serve_stages(place: Path) -> None:
    """Import the stages that the socket `place` is named after, and run what is asked for there."""
    serve(place, [f"gradaudit.stages.{stage}" for stage in STAGES[place.name]], main)


if __name__ == "__main__":
    serve_stages(Path(sys.argv[1]))
