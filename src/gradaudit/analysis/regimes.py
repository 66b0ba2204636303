"""Mechanism by method: the verdicts of forward gradients, as shares (the one picture)."""

from __future__ import annotations

import pandas as pd

from gradaudit.analysis.audit_rows import prepared, typical
from gradaudit.labels import VERDICTS
from gradaudit.records.table import Table

TABLE = Table(
    name="regimes",
    about="mechanism by method",
    function="regimes",
)

MAIN = ("terminal", "trace_sse", "time_average", "event_time", "event_interval", "event_count")
"""The functionals that count, where there are any of them."""

FORWARD = ("forward_ad", "forward_sensitivity", "dual_norm", "saltation")

WORDS = {
    "smooth dissipative": "Smooth and decaying",
    "negative control": "State and tangent integrated exactly",
    "stiff but slow": "Stiff, but the solution is slow",
    "number of parameters": "Many parameters",
    "dimension": "Many states",
    "uncontrolled tangent at an equilibrium": "State at rest, tangent moves unseen",
    "exploding tangent at an equilibrium": "State at rest, tangent explodes",
    "linear amplification": "Perturbations grow along the way",
    "phase drift on a limit cycle": "Oscillation: the phase drifts",
    "chaos": "Chaos: exponential growth",
    "near a bifurcation": "Close to a bifurcation",
    "discontinuous functional": "The functional jumps: a count",
    "discontinuous right-hand side": "The right-hand side jumps",
    "events with jumps": "Events that reset the state",
    "grazing event": "An event that is only grazed",
    "discontinuous step controller": "Step control jumps with the parameters",
    "dense output": "Read off between the steps",
    "Newton truncation": "Newton stops early in implicit stages",
    "vanishing gradients of fast modes": "Gradients of fast modes vanish",
    "single precision": "Single precision",
    "cancellation at an optimum": "Cancellation at an optimum",
    "dependence on parameter units": "The units of the parameters matter",
    "finite differences as a check": "Finite differences as the check",
}
"""Mechanism, as the tables have it, to plain words; another one is called by its name."""

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


def mechanism_name(mechanism: str) -> str:
    """A mechanism in plain words."""
    return WORDS.get(mechanism, mechanism[:1].upper() + mechanism[1:])


def regimes(audits: pd.DataFrame) -> pd.DataFrame:
    """One row a (mechanism, method, explicit or implicit): how many ladders are what.

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
        ``good``, ``bad``, ``horrible`` count ladders; ``verdict`` is the most frequent of them,
        the worse one if two are; ``regime`` is the worst that the mechanism lets one expect.
    """
    if audits.empty:
        return pd.DataFrame(columns=COLUMNS)
    table = typical(prepared(audits))
    table = table[table["method"].isin(FORWARD)]
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
    main = rows[rows["kind"].isin(MAIN)]
    main = main if len(main) else rows
    jumps = main["piecewise_constant"].astype(bool) if "piecewise_constant" in main else False
    kept = main[main["informative"] | jumps]
    return kept if len(kept) else main


def _expected(regime: pd.Series) -> str:
    present = set(regime.fillna("").astype(str))
    found = [word for word in VERDICTS if word in present]
    return found[-1] if found else ""
