"""Tables as artifacts: the Parquet file as it is, and CSV that the user interface shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from gradaudit.records.catalogue import inverse_crimes
from gradaudit.records.labels import VERDICTS
from gradaudit.tracking.plan import Artifact


def file_artifact(path: Path, folder: str) -> Artifact:
    """A file of the results under its own name."""
    return Artifact(path=f"{folder}/{path.name}", content=path.read_bytes())


def csv_artifact(frame: pd.DataFrame, path: str, *, index: bool = False) -> Artifact:
    """A table as CSV, without columns of lists, which only Parquet holds well."""
    lists = [] if frame.empty else [name for name in frame if _holds_lists(frame[name])]
    text = frame.drop(columns=lists).to_csv(index=index, lineterminator="\n")
    return Artifact(path=path, content=text.encode())


def meaningful(ladders: pd.DataFrame) -> pd.DataFrame:
    """Tolerance series without those whose data the solver makes: good, which shows nothing."""
    return ladders[~ladders["kind"].isin(inverse_crimes())]


def verdict_counts(verdicts: pd.Series) -> dict[str, int]:
    """How many are good, bad and horrible."""
    return {word: int((verdicts == word).sum()) for word in VERDICTS}


def sentence_of_counts(counts: Mapping[str, int], left_out: int = 0) -> str:
    """Counts of verdicts on tolerance series, as words; and how many are not `meaningful`."""
    words = ", ".join(f"{count} {word}" for word, count in counts.items())
    more = f"; {left_out} more, with data of the same solve, show nothing" if left_out else ""
    return f"Of {sum(counts.values())} tolerance series (solver, method, functional) {words}{more}"


def worst(verdicts: pd.Series) -> str:
    """The worst verdict; empty where there is none."""
    by_severity = [word for word in VERDICTS if (verdicts == word).any()]
    return by_severity[-1] if by_severity else ""


def tolerance(value: float) -> str:
    """A tolerance in words: 1e-6; of what is not finite, never."""
    if not math.isfinite(value):
        return "never"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def markdown_table(frame: pd.DataFrame) -> str:
    """A table in Markdown; numbers short, what is not a number as a dash."""
    rows = [list(map(str, frame.columns)), ["---"] * len(frame.columns)]
    rows += [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if pd.notna(value) else "–"
    return str(value).replace("|", "\\|")


def _holds_lists(column: pd.Series) -> bool:
    return any(hasattr(value, "__len__") and not isinstance(value, str) for value in column)
