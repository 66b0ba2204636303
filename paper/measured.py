"""The numbers of paper.md, from the results of a study: `python paper/measured.py results`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd

from gradaudit.analysis.remedies import summary
from gradaudit.analysis.scaling_laws import EVERYWHERE
from gradaudit.report.sentences import share_within

GOOD = 1e-2


def main(results: Path) -> None:
    """Print each number with what it is."""
    atlas = {file.stem: pd.read_parquet(file) for file in (results / "atlas").glob("*.parquet")}
    kinds = pd.read_parquet(results / "trust" / "kinds.parquet")
    print("settings of models:", len(list((results / "reference").glob("*.nc"))))
    for rtol in (1e-3, 1e-6):
        share, rows = share_within(atlas["audits"], rtol, GOOD)
        print(f"forward AD within 1 % at {rtol:g}: {100 * share:.0f} % of {rows}")
    verdicts = atlas["verdicts"]
    forward = verdicts[verdicts["method"] == "forward_ad"]
    print(f"series not converging: {(~forward['converging'].astype(bool)).sum()} of {len(forward)}")
    remedies = summary(atlas["remedies"])
    shown = remedies[(remedies["mechanism"] == "all") & (remedies["tried"] > 0)]
    print(shown[["remedy", "tried", "good"]].to_string(index=False))
    laws = atlas["laws"]
    states = laws[(laws["law"] == "state_error") & (laws["mechanism"] == EVERYWHERE)]
    print(states[["method", "ratio", "exponent"]].to_string(index=False))
    print(kinds.to_string(index=False))
    for file in sorted(Path("certified").glob("*.json")):
        nominal = json.loads(file.read_text(encoding="utf-8"))["points"]["nominal"]
        print(f"{file.stem}: {nominal['status'][:60]}, {nominal['least_digits']}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
