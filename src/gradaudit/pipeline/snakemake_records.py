"""What Snakemake keeps of the files that it has made, in its folder `.snakemake`.

It runs a job again if a param has changed since. Where it keeps nothing of a file, as of one that
was copied here from elsewhere, it takes the file for the result whatever it was made with.
"""

from __future__ import annotations

import ast
import json
from base64 import urlsafe_b64encode
from pathlib import Path

METADATA = Path(".snakemake", "metadata")
_LONGEST = 254  # characters of a name; longer ones are folders of such


def recorded_params(folder: Path, name: str) -> frozenset[str] | None:
    """The params of the job that made a file, as texts; None where nothing is kept of it.

    Parameters
    ----------
    folder
        Where Snakemake runs.
    name
        Path of the file from there, as the workflow has it.
    """
    try:
        record = json.loads(_place(folder, name).read_text(encoding="utf-8"))
        return frozenset(str(ast.literal_eval(param)) for param in record["params"])
    except (OSError, ValueError, SyntaxError, KeyError, TypeError):
        return None


def _place(folder: Path, name: str) -> Path:
    text = urlsafe_b64encode(name.encode()).decode()
    parts = [text[start : start + _LONGEST] for start in range(0, len(text), _LONGEST)]
    return folder / METADATA / Path(*(f"@{part}" for part in parts[:-1]), parts[-1])
