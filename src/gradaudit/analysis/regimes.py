"""Mechanism by method: the verdicts of forward gradients, as shares (the one picture)."""

from __future__ import annotations

import pandas as pd

from gradaudit.analysis.audit_rows import prepared, typical
from gradaudit.records.catalogue import catalogue
from gradaudit.records.labels import VERDICTS
from gradaudit.records.table import Table

TABLE = Table(
    name="regimes",
    about="mechanism by method",
    function="regimes",
)


COLUMNS = ["mechanism", "regime", "models", "method", "stepping", "ladders", *VERDICTS, "verdict"]


def ordered(regimes: pd.DataFrame) -> list[str]:
    """Mechanisms of the table: by the expected regime, then by the harm that forward AD does."""
    if regimes.empty:
        return []
    first = regimes.drop_duplicates("mechanism")
    plain = regimes[regimes["method"] == "forward_ad"].groupby("mechanism")
    sums = plain[[*VERDICTS, "ladders"]].sum()
    harm = (sums["bad"] + 3.0 * sums["horrible"]) / sums["ladders"]
    ranks = {word: rank for rank, word in enumerate(VERDICTS)}
    keys = [
        (ranks.get(row["regime"], len(VERDICTS)), float(harm.get(row["mechanism"], 0.0)),
         str(row["mechanism"]))
        for row in first.to_dict("records")
    ]  # fmt: skip
    return [name for _, _, name in sorted(keys)]


def main_methods() -> list[str]:
    """The methods that are compared by mechanism, those for models with events last."""
    main = [method for method in catalogue("methods").values() if method.is_main]
    return [method.name for method in sorted(main, key=lambda m: bool(m.same_without_events))]


def regimes(audits: pd.DataFrame) -> pd.DataFrame:
    """One row per (mechanism, method, explicit or implicit): how many tolerance series are what.

    Over the main functionals, and the rows that show the mechanism (`keys.typical`). A functional
    whose exact gradient is zero is left out where a model has others: it is right whenever the
    residual vanishes, which says nothing of the tangents.

    Parameters
    ----------
    audits
        Of stage atlas.

    Returns
    -------
    DataFrame
        ``good``, ``bad``, ``horrible`` count tolerance series; ``verdict`` is the most frequent of
        them, the worse one if two are; ``regime`` is the worst that the mechanism lets one expect.
    """
    if audits.empty:
        return pd.DataFrame(columns=COLUMNS)
    table = typical(prepared(audits))
    table = table[table["method"].isin(main_methods())]
    kept = pd.concat([_main(rows) for _, rows in table.groupby("model", sort=False)] or [table])
    ladders = kept.drop_duplicates(["model", "solver", "method", "functional"])
    rows = []
    for (mechanism, method, stepping), own in ladders.groupby(
        ["mechanism", "method", "stepping"], sort=False
    ):
        counts = {word: int((own["ladder_verdict"] == word).sum()) for word in VERDICTS}
        every = ladders[ladders["mechanism"] == mechanism]
        rows.append(
            {
                "mechanism": mechanism,
                "regime": _expected(every["regime"]),
                "models": every["model"].nunique(),
                "method": method,
                "stepping": stepping,
                "ladders": len(own),
                **counts,
                "verdict": max(reversed(VERDICTS), key=lambda word: counts[word]),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def _main(rows: pd.DataFrame) -> pd.DataFrame:
    kinds = [name for name, family in catalogue("functionals").items() if family.is_main]
    main = rows[rows["kind"].isin(kinds)]
    main = main if len(main) else rows
    jumps = main["piecewise_constant"].astype(bool) if "piecewise_constant" in main else False
    kept = main[main["informative"] | jumps]
    return kept if len(kept) else main


def _expected(regime: pd.Series) -> str:
    present = set(regime.fillna("").astype(str))
    by_severity = [word for word in VERDICTS if word in present]
    return by_severity[-1] if by_severity else ""
