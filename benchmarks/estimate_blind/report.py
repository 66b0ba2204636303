"""How good is the error estimate on models that nobody tuned it to? Stage 2: the tables.

    python benchmarks/estimate_blind/report.py ROWS.jsonl [--scores FILE] [--write FILE]

Two calibrations are judged: that of the package, or of a file like its coefficients.json, and one
that is fitted to four fifths of the models and judged on the others, five times over. With --write
the score that is fitted to all models is written, in place of that in the file.

Goals: area under the ROC of at least 0.97 for errors above 1 %; no wrong gradient missed in a
series that does not converge, 1 % of the others; 8 % false alarms; 90 % intervals that hold between
87 and 93 % in every regime; a median ratio of estimate and error of 0.5 to 2; intervals of at most
two powers of ten.
"""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from table import FOLDS, REGIMES, read, usable  # isort: skip

BOUND = 1e-2
FLOOR, CEILING = 1e-10, 1.0  # of an error, as in the score
ROUNDING = 1e-6  # of a power of ten
WORST = 15


def shipped(rows: pd.DataFrame, file: Path | None) -> pd.DataFrame:
    """log10 of estimate and interval, and the alarm, by the package's calibration or a file's."""
    from gradaudit.analysis.calibration.score import FILE, from_dict

    entries = json.loads((file or FILE).read_text())["scores"]
    return _said(rows, from_dict(next(e for e in entries if e["name"] == "propagated")))


def refitted(rows: pd.DataFrame) -> pd.DataFrame:
    """The same of each row by a score that was fitted to the models of the other folds."""
    parts = []
    for fold in range(FOLDS):
        out = rows["fold"] == fold
        parts.append(_said(rows[out], fitted(rows[~out])))
    return pd.concat(parts).loc[rows.index]


def fitted(rows: pd.DataFrame) -> Any:
    """The score of the package's own procedure, with every model alike."""
    from gradaudit.analysis.calibration.fitting import fit

    return fit(as_audits(rows), "propagated", BOUND)


def as_audits(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows under the names of the atlas's table; a model counts as a mechanism."""
    return rows.assign(
        mechanism=rows["model"], estimated_error=rows["raw"], base_solver=rows["solver"],
        method=rows["control"], neglected=rows["neglected"].fillna(0.0),
    )  # fmt: skip


def _said(rows: pd.DataFrame, score: Any) -> pd.DataFrame:
    from gradaudit.analysis.calibration.stepping import limits

    line = score.predict({"estimated_error": rows["raw"], "neglected": rows["neglected"]})
    low, high = score.interval(line, limits(as_audits(rows)))
    return pd.DataFrame(
        {
            "estimate": line,
            "low": low,
            "high": high,
            "alarm": line >= score.threshold,
        },
        index=rows.index,
    )


def measures(rows: pd.DataFrame, said: pd.DataFrame) -> dict[str, Any]:
    """One line of the table of regimes."""
    from gradaudit.analysis.calibration.skill import area, ranks

    true = np.log10(np.clip(rows["error"], FLOOR, CEILING))
    # of an estimate that no digit holds, or none but the last ones fail, the interval says nothing
    told = (rows["raw"] > 1.1 * FLOOR) & (rows["raw"] < 0.9 * CEILING)
    inside = (true >= said["low"] - ROUNDING) & (true <= said["high"] + ROUNDING)
    inside, above = inside[told], (true > said["high"] + ROUNDING)[told]
    bad, alarm = (rows["error"] > BOUND).to_numpy(), said["alarm"].to_numpy()
    missed = bad & ~alarm
    stuck = ~rows["converging"].astype(bool).to_numpy()
    places = ranks(pd.factorize(said["estimate"], sort=True)[0]) if len(rows) else np.empty(0)
    by_model = inside.groupby(rows["model"][told]).mean()
    return {
        "models": rows["model"].nunique(),
        "rows": len(rows),
        "bad": int(bad.sum()),
        "area": area(places, bad),
        "missed": int((missed & ~stuck).sum()),
        "missed, no conv.": int((missed & stuck).sum()),
        "false alarms %": 100.0 * alarm[~bad].mean() if (~bad).any() else np.nan,
        "told": int(told.sum()),
        "holds %": 100.0 * inside.mean(),
        "above %": 100.0 * above.mean(),
        "by model %": 100.0 * by_model.mean(),
        "ratio": 10.0 ** float((said["estimate"] - true)[told].median()),
        "width": float((said["high"] - said["low"])[told].median()),
    }


def regimes(rows: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """One line per regime."""
    lines = {}
    for name, chosen in REGIMES.items():
        own = np.asarray(chosen(rows), dtype=bool)
        if own.any():
            lines[name] = measures(rows[own], said[own])
    return pd.DataFrame(lines).T


def by(column: str, rows: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """One line per value of a column."""
    groups = rows.groupby(column).groups
    return pd.DataFrame(
        {key: measures(rows.loc[own], said.loc[own]) for key, own in groups.items()}
    ).T


def fooled(rows: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """Bad gradients without an alarm, by model and functional, the worst first."""
    missed = rows[(rows["error"] > BOUND) & ~said["alarm"]]
    keys = ["family", "model", "solver", "control", "functional"]
    table = missed.groupby(keys).agg(
        rows=("error", "size"), error=("error", "max"), raw=("raw", "min"),
        rtol=("rtol", "max"), stuck=("converging", lambda c: int((~c.astype(bool)).sum())),
    )  # fmt: skip
    return table.sort_values("error", ascending=False).reset_index()


def outside(rows: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """Models whose errors lie outside of the interval most often or farthest."""
    true = np.log10(np.clip(rows["error"], FLOOR, CEILING))
    told = (rows["raw"] > 1.1 * FLOOR) & (rows["raw"] < 0.9 * CEILING)
    rows, said, true = rows[told], said[told], true[told]
    off = np.maximum(said["low"] - true, true - said["high"]).clip(lower=0.0)
    table = rows.assign(off=off, out=off > 0, over=true > said["high"])
    lines = table.groupby(["family", "model"]).agg(
        rows=("out", "size"), outside=("out", "mean"), above=("over", "mean"),
        farthest=("off", "max"),
    )  # fmt: skip
    return lines.sort_values("outside", ascending=False).reset_index()


def written(rows: pd.DataFrame, file: Path) -> None:
    """Put the score fitted to all rows into the file, with what it was fitted to.

    The score along one direction follows from it. That of a second solve, which the rows do not
    have, stays what it was.
    """
    from importlib.metadata import version

    from gradaudit.analysis.calibration.fitting import fit

    stored = json.loads(file.read_text())
    audits = as_audits(rows)
    new = {name: fit(audits, name, BOUND).as_dict() for name in ("probed", "propagated")}
    stored["scores"] = [new.get(entry["name"], entry) for entry in stored["scores"]]
    packages = ("gradaudit", "jax", "diffrax", "heyoka", "numpy")
    atlas = {key: stored.pop(key) for key in ("gradients", "models", "mechanisms") if key in stored}
    if atlas:
        stored["fitted_to_the_atlas"] = atlas | {"scores": ["second_solve"]}
    stored["fitted_to"] = {
        "data": "benchmarks/estimate_blind, all families",
        "date": datetime.date.today().isoformat(),
        "versions": {name: version(name) for name in packages},
        "gradients": len(rows),
        "settings": rows.groupby(["family", "model", "point"]).ngroups,
        "models": {name: int(own["model"].nunique()) for name, own in rows.groupby("family")},
        "scores": sorted(new),
    }
    file.write_text(json.dumps(stored, indent=1) + "\n")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path)
    parser.add_argument("--scores", type=Path, help="in place of the package's coefficients")
    parser.add_argument("--write", type=Path, help="a file like the package's coefficients.json")
    options = parser.parse_args()
    pd.set_option("display.width", 200, "display.max_columns", 30, "display.max_rows", 200)
    pd.set_option("display.float_format", "{:.4g}".format)
    rows, settings = read(options.rows)
    states = settings["status"].str.replace(r"[:(].*", "", regex=True)
    print("settings\n", pd.crosstab(settings["family"], states), "\n")
    print("gradients\n", pd.crosstab(rows["family"], rows["status"].str[:20]), "\n")
    own = usable(rows)
    count = own.groupby(["family", "model", "point"]).ngroups
    print(
        f"{len(own)} gradients of {count} settings of {own['model'].nunique()} models are judged\n"
    )
    for name, said in (
        ("calibration", shipped(own, options.scores)),
        ("five folds", refitted(own)),
    ):
        print(f"== {name}\n", regimes(own, said), "\n")
        for column in ("family", "solver", "control", "functional", "rtol"):
            print(by(column, own, said), "\n")
        print("missed\n", fooled(own, said).head(WORST), "\n")
        print("outside of the interval\n", outside(own, said).head(WORST), "\n")
    if options.write:
        written(own, options.write)


if __name__ == "__main__":
    main()
