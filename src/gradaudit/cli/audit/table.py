"""The table of an audit: errors of each setting within the certified digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gradaudit.analysis.frontier import cheapest_settings
from gradaudit.evaluation.audit_table import SCALARS, evaluate

UNKNOWN = "unknown"
SETTING = ["solver", "method", "rtol"]
MARGIN = 10.0  # an error this many times above the reference's own is known to a tenth


def judged(table: pd.DataFrame, *, digits: float, verdict: Mapping[str, Any]) -> pd.DataFrame:
    """The table of stage evaluate with the column `resolution`, and verdicts where they hold.

    A reference with few digits shows errors that are its own. `resolution` is its error in the
    unit of `error`; a verdict that the measured error does not carry becomes "unknown".

    Parameters
    ----------
    digits
        Certified digits of sensitivities and integrals.
    verdict
        The thresholds of the configuration.
    """
    relative = (table["error"] == table["relative_error"]) & (table["reference_norm"] > 0.0)
    unit = np.where(relative, table["natural_scale"] / table["reference_norm"], 1.0)
    # a reference of no digit may be wrong by any factor
    known = np.isfinite(table["natural_scale"]) & (digits > 0.0)
    resolution = np.where(known, 10.0**-digits * unit, np.inf)
    table = table.assign(resolution=resolution)
    coarse = (1.0 + MARGIN) * table["resolution"] > verdict["good"]
    hidden = (table["status"] == "ok") & ~(table["error"] > MARGIN * table["resolution"]) & coarse
    # A tolerance series that runs into the reference's own error seems to stop converging.
    ladders = hidden.groupby([table[name] for name in ("solver", "method", "functional")])
    stopped = ladders.transform("any") & (table["error"] <= verdict["horrible"])
    unknown = hidden | (stopped & (table["verdict"] == "horrible"))
    return table.assign(verdict=table["verdict"].where(~unknown, UNKNOWN))


_UNJUDGED: dict[str, Any] = {
    "reason": "not_converging",  # nothing is known of it
    "error": np.nan,
    "resolution": np.inf,
    "dominant": "",
    "verdict": UNKNOWN,
    "converging": False,
}
"""Columns where there is no reference."""


def unjudged(gradients: Sequence[xr.Dataset]) -> pd.DataFrame:
    """One row per setting where there is no reference: what was solved, what it took, no error."""
    rows = []
    for dataset in gradients:
        for method in dataset["method"].values:
            for rtol in dataset["rtol"].values:
                cell = dataset.sel({"method": method, "rtol": rtol})
                rows.append(
                    {
                        "solver": dataset.attrs["solver"],
                        "method": str(method),
                        "rtol": float(rtol),
                        "atol": float(cell["atol"]),
                        "status": str(cell["status"].values),
                        **{name: float(cell[name]) for name in SCALARS},
                    }
                )
    columns = [*SETTING, "atol", "status", *SCALARS]
    return pd.DataFrame(rows, columns=columns).assign(
        functional="", kind="", work=np.nan, **_UNJUDGED
    )


def estimated(gradients: Sequence[xr.Dataset], settings: dict[str, Any]) -> pd.DataFrame:
    """As `unjudged`, for every functional, with the errors that the solves estimate themselves.

    Functionals that need a target have the tightest solve of forward AD, which is no reference.

    Parameters
    ----------
    settings
        Of stage evaluate.
    """
    target = _tightest(gradients)
    if target is None:
        return unjudged(gradients)
    table = evaluate(target, list(gradients), settings)
    return estimates_in_unit(table, settings).assign(**_UNJUDGED)


def estimates_in_unit(table: pd.DataFrame, settings: dict[str, Any]) -> pd.DataFrame:
    """The table of stage evaluate with estimated errors in the unit of `error`.

    Estimates are in relation to the gradient. Where that vanishes, as that of a sum of squares to
    its own trace, any error would be 100 % of it; `natural_scale` is the unit there.
    """
    if "estimated_error" not in table:
        return table
    relative, scale = table["estimated_error"], table["natural_scale"]
    vanishes = table["reference_norm"] <= settings["verdict"]["cancellation"] * scale
    own = relative.clip(upper=1.0) * table["gradient_norm"] / scale
    return table.assign(estimated_error=relative.where(~vanishes, own))


def _tightest(gradients: Sequence[xr.Dataset]) -> xr.Dataset | None:
    """The tightest solve of the first method that has one, in the form of a reference."""
    best: xr.Dataset | None = None
    for dataset in gradients:
        method = dataset["method"].values[0]
        for rtol in np.sort(dataset["rtol"].values):
            cell = dataset.sel({"method": method, "rtol": rtol})
            if str(cell["status"].values) == "ok":
                if best is None or rtol < float(best["rtol"]):
                    best = cell.isel(chunk=0).assign_attrs(digits=0.0, integral_digits=0.0)
                break
    return best


def worst(table: pd.DataFrame) -> pd.DataFrame:
    """Of every (solver, method, tolerance), the row of the functional with the largest error.

    That is the largest estimated one where nothing is known.
    """
    bound = (table["error"] + table["resolution"]).fillna(np.inf)
    if "estimated_error" in table and not np.isfinite(bound).any():
        bound = table["estimated_error"].fillna(-1.0)
    ranked = table.assign(_rank=bound)
    rows = ranked.groupby(SETTING, sort=False)["_rank"].idxmax()
    return table.loc[rows].reset_index(drop=True)


def cheapest(table: pd.DataFrame, accuracy: float) -> tuple[dict[str, Any] | None, str]:
    """The row of the cheapest setting that surely reaches `accuracy`, or None and the reason.

    The reference's own error counts: a setting reaches an accuracy if the two errors together do.
    """
    bound = table["error"] + table["resolution"]
    setting = cheapest_settings(
        table.assign(model="", functional="", error=bound.fillna(np.inf)), [accuracy]
    ).iloc[0]
    if setting["reason"]:
        return None, str(setting["reason"])
    same = (table[SETTING] == [setting[name] for name in SETTING]).all(axis=1)
    row = {str(name): value for name, value in table[same].iloc[0].items()}
    return {**row, "tied": setting["tied"]}, ""
