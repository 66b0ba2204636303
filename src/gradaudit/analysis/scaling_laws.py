"""Scaling laws: how the error of the gradient follows state error, tolerance and axes (Q1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.analysis.audit_rows import AXES, axes_of, prepared, typical
from gradaudit.analysis.grouped_slope import slope
from gradaudit.model.mechanism import Trait, having
from gradaudit.records.catalogue import catalogue
from gradaudit.records.table import Table

TABLE = Table(
    name="laws",
    about="scaling laws of the error",
    function="laws",
)

LADDER = ["model", "solver", "method", "functional"]
RESOLVED = 1e-13  # a state error below it is rounding: the state is integrated exactly
ENOUGH, ENOUGH_SETTINGS = 4, 3
EVERYWHERE = "all"

COLUMNS = [
    "law", "form", "mechanism", "model", "axis", "method", "stepping", "exponent", "low", "high",
    "intercept", "interval", "points", "abscissae", "ladders", "left_out", "x_min", "x_max",
    "ratio", "ratio_low", "ratio_high", "status",
]  # fmt: skip


def law_methods() -> list[str]:
    """The methods that laws are fitted to."""
    return [name for name, method in catalogue("methods").items() if method.has_laws]


def laws(audits: pd.DataFrame) -> pd.DataFrame:
    """Exponents q of error ~ x^q, or rates of error ~ exp(q x), with 95 % intervals.

    Only errors above their floor and below 1 count, of tolerance series that converge: beyond them
    an error is rounding, or the gradient has nothing left to do with the exact one, and no law of
    first order can hold. Each tolerance series has a constant of its own.

    Parameters
    ----------
    audits
        Of stage atlas.

    Returns
    -------
    DataFrame
        One row per law, with the columns `COLUMNS`. ``law`` is ``state_error``, ``tolerance``,
        ``stiffness``, ``window`` or ``distance``; ``status`` is ``ok``, or why there is no
        number: ``too_few_points``, ``too_few_settings``, ``not_converging`` (most series),
        ``state_exact`` (the state is integrated exactly), ``rounding`` (most errors).
        ``left_out`` counts tolerance series that do not converge.
        ``ratio`` is the median of error over state error, with its quartiles.
    """
    if audits.empty:
        return pd.DataFrame(columns=COLUMNS)
    table = typical(prepared(audits))
    table = table[table["informative"] & table["method"].isin(law_methods())]
    rows = [*_of_ladders(table), *_of_axes(table)]
    return pd.DataFrame(rows, columns=COLUMNS)


def usable(table: pd.DataFrame) -> pd.DataFrame:
    """The rows from which laws are fitted."""
    floor = table.get("error_floor", 0.0)
    good = (table["status"] == "ok") & np.isfinite(table["error"]) & (table["error"] > floor)
    return table[good & (table["error"] < 1.0) & table["converging"].astype(bool)]


def _of_ladders(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Against state error and tolerance: over everything, and mechanism by mechanism."""
    groups: list[tuple[str, str, pd.DataFrame]] = [(EVERYWHERE, EVERYWHERE, table)]
    groups += [(EVERYWHERE, str(name), rows) for name, rows in table.groupby("stepping", sort=True)]
    groups += [
        (str(name), EVERYWHERE, rows) for name, rows in table.groupby("mechanism", sort=False)
    ]
    for mechanism, stepping, group in groups:
        for method in law_methods():
            rows = group[group["method"] == method]
            if rows.empty:
                continue
            names = {"mechanism": mechanism, "stepping": stepping, "method": method}
            for law, column in (("state_error", "state_error"), ("tolerance", "rtol")):
                if column in rows:
                    yield names | {"law": law} | _against(rows, column)


def _against(rows: pd.DataFrame, column: str) -> dict[str, Any]:
    by_ladder = rows.groupby(LADDER)["converging"].first().astype(bool)
    fitted = usable(rows)
    exact = False
    if column == "state_error":
        exact = bool((rows["state_error"] <= RESOLVED).all())
        fitted = fitted[fitted["state_error"] > RESOLVED]
    x = np.log10(fitted[column].to_numpy(dtype=float))
    y = np.log10(fitted["error"].to_numpy(dtype=float))
    labels = _labels(fitted, LADDER)
    law = _fitted(x, y, labels, enough=ENOUGH)
    if exact:
        law["status"] = "state_exact"
    elif len(np.unique(labels)) < 3 and by_ladder.mean() < 0.5:
        law = _none(law, "not_converging")
    elif law["status"] != "ok" and _at_floor(rows):
        law["status"] = "rounding"
    quartiles = np.full(3, np.nan)
    if column == "state_error" and len(fitted):
        quartiles = np.percentile(fitted["error"] / fitted["state_error"], [25, 50, 75])
    return law | {
        "form": "power",
        "model": "",
        "axis": column,
        "left_out": int((~by_ladder).sum()),
        "ratio_low": quartiles[0],
        "ratio": quartiles[1],
        "ratio_high": quartiles[2],
    }


def _of_axes(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Against an axis of a model file, over its settings that differ in nothing else."""
    keys = {model: axes_of(str(model)) for model in table["model"].unique()}
    groups: dict[tuple[str, str, tuple[Any, ...]], dict[str, float]] = {}
    for model, (base, setting) in keys.items():
        for axis, value in setting.items():
            if axis in AXES:
                others = tuple(sorted((k, v) for k, v in setting.items() if k != axis))
                groups.setdefault((base, axis, others), {})[str(model)] = value
    for (base, axis, _), settings in groups.items():
        rows = table[table["model"].isin(list(settings))]
        rows = rows.assign(_axis=rows["model"].map(settings).astype(float))
        for (method, stepping), own in rows.groupby(["method", "stepping"], sort=True):
            yield {
                "law": AXES[axis],
                "model": base,
                "axis": axis,
                "mechanism": str(own["mechanism"].iloc[0]),
                "method": method,
                "stepping": stepping,
            } | _along(own, exponential=AXES[axis] == "window" and _chaotic(own))


def _along(rows: pd.DataFrame, *, exponential: bool) -> dict[str, Any]:
    settings = rows["_axis"].nunique()
    by_ladder = rows.groupby(LADDER)["converging"].first().astype(bool)
    fitted = usable(rows)
    if not exponential:
        fitted = fitted[fitted["_axis"] > 0.0]
    values = fitted["_axis"].to_numpy(dtype=float)
    labels = _labels(fitted, ["solver", "functional", "rtol"])
    x = values if exponential else np.log10(values)
    y = np.log(fitted["error"].to_numpy(dtype=float))
    y = y if exponential else y / np.log(10.0)
    law = _fitted(x, y, labels, enough=ENOUGH_SETTINGS)
    if exponential:
        law |= {"x_min": x.min() if len(x) else np.nan, "x_max": x.max() if len(x) else np.nan}
    if settings < ENOUGH_SETTINGS:
        law["status"] = "too_few_settings"
    elif law["status"] != "ok" and not by_ladder.any():
        law["status"] = "not_converging"
    return law | {
        "form": "exponential" if exponential else "power",
        "abscissae": settings,
        "left_out": int((~by_ladder).sum()),
        "ratio": np.nan,
        "ratio_low": np.nan,
        "ratio_high": np.nan,
    }


def _fitted(x: np.ndarray, y: np.ndarray, labels: np.ndarray, *, enough: int) -> dict[str, Any]:
    abscissae = len(np.unique(np.round(x, 9)))
    line = slope(x, y, labels) if abscissae >= enough else None
    ok = line is not None and np.isfinite(line.value)
    return {
        "exponent": line.value if line is not None and ok else np.nan,
        "low": line.low if line is not None and ok else np.nan,
        "high": line.high if line is not None and ok else np.nan,
        "intercept": line.intercept if line is not None and ok else np.nan,
        "interval": line.interval if line is not None and ok else "",
        "points": len(x),
        "abscissae": abscissae,
        "ladders": len(np.unique(labels)) if len(labels) else 0,
        "x_min": 10.0 ** float(x.min()) if len(x) else np.nan,
        "x_max": 10.0 ** float(x.max()) if len(x) else np.nan,
        "status": "ok" if ok else "too_few_points",
    }


def _none(law: dict[str, Any], status: str) -> dict[str, Any]:
    """The same without a number."""
    numbers = dict.fromkeys(("exponent", "low", "high", "intercept"), np.nan)
    return law | numbers | {"interval": "", "status": status}


def _at_floor(rows: pd.DataFrame) -> bool:
    floor = rows.get("error_floor", 0.0)
    return bool((rows["error"] <= floor).mean() > 0.5)


def _labels(rows: pd.DataFrame, keys: list[str]) -> np.ndarray:
    """A number a row, alike where the keys are."""
    return rows.groupby(keys).ngroup().to_numpy()


def _chaotic(rows: pd.DataFrame) -> bool:
    """Errors grow like exp(rate T) on a chaotic attractor, and like a power of T elsewhere."""
    return bool(rows["mechanism"].isin(having(Trait.CHAOS)).all())
