"""Sentences on the published experiment, from its table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gradaudit.report.numbers import count, number, percent, tolerance

VARIANTS = {
    "dual_norm": "dual norm (as published)",
    "full_control": "full control",
    "same_grid": "forward AD on the same grid",
    "coarse_target": "fixed coarse target",
}


def paragraphs(table: pd.DataFrame, *, published: float | None, good: float) -> list[str]:
    """What happened, why, and what the other ways to compute the gradient show."""
    worked = table[table["status"] == "ok"]
    if worked.empty:
        return ["Every solve of the published experiment failed."]
    loosest = worked[worked["rtol"] == worked["rtol"].max()].set_index("variant")
    sentences = [
        _dual(loosest, published),
        _cause(loosest),
        _falls(worked),
        _same_grid(loosest, good),
        _full(loosest),
        _coarse(worked),
    ]
    return [sentence for sentence in sentences if sentence]


def _dual(loosest: pd.DataFrame, published: float | None) -> str:
    row = _row(loosest, "dual_norm")
    if row is None:
        return ""
    norm = float(row["gradient_norm"])
    text = (
        f"With the dual norm at rtol {tolerance(row['rtol'])} the gradient of the loss has norm "
        f"{number(norm)}, where the true gradient has norm {number(float(row['reference_norm']))}."
    )
    if published:
        text += f" Published: {number(published)}, a ratio of {number(norm / published)}."
    return text


def _cause(loosest: pd.DataFrame) -> str:
    row = _row(loosest, "dual_norm")
    if row is None:
        return ""
    state, tangent = float(row["state_part"]), float(row["tangent_part"])
    dominant = "the states" if state > tangent else "the tangents"
    return (
        f"The larger part of this is due to {dominant}. The solve takes other steps than the one "
        f"that made the target, and its {row['residual_of']} differs from the target by up to "
        f"{residual(row)} (the residual, the largest over "
        f"{count(int(row['points']), 'time point')}). Multiplied by the sensitivities and summed, "
        f"wrong states cause an error of {number(state)}, wrong tangents one of {number(tangent)}. "
        f"The error of the tangents themselves is up to {percent(row['tangent_error'])}."
    )


def _falls(worked: pd.DataFrame) -> str:
    rows = worked[worked["variant"] == "dual_norm"].sort_values("rtol", ascending=False)
    if len(rows) < 2:
        return ""
    first, last = rows.iloc[0], rows.iloc[-1]
    verb = "falls" if last["gradient_norm"] < first["gradient_norm"] else "does not fall"
    return (
        f"The norm {verb} with the tolerance: {number(first['gradient_norm'])} at rtol "
        f"{tolerance(first['rtol'])}, {number(last['gradient_norm'])} at {tolerance(last['rtol'])}."
    )


def _same_grid(loosest: pd.DataFrame, good: float) -> str:
    row, dual = _row(loosest, "same_grid"), _row(loosest, "dual_norm")
    if row is None:
        return ""
    norm, wrong = float(row["gradient_norm"]), float(row["tangent_error"])
    text = f"Forward AD on the same steps as the target gives {number(norm)}"
    if dual is not None and 0.0 < norm < dual["gradient_norm"]:
        text += f", {number(float(dual['gradient_norm']) / norm, 2)} times less"
    if wrong > good:
        return (
            f"{text}, but the error of its tangents is up to {percent(wrong)}: the number is "
            "small only "
            f"because the residual is ({residual(row)} at most). The gradient "
            "only appears "
            "correct: an inverse crime, a test on data that the same solver made."
        )
    return f"{text}, and the error of its tangents is up to {percent(wrong)}."


def _full(loosest: pd.DataFrame) -> str:
    row = _row(loosest, "full_control")
    if row is None:
        return ""
    return (
        f"With full control the error of the tangents is at most {percent(row['tangent_error'])}, "
        f"and the norm is {number(row['gradient_norm'])}: the residual, which is up to "
        f"{residual(row)}, does not vanish."
    )


def _coarse(worked: pd.DataFrame) -> str:
    rows = worked[worked["variant"] == "coarse_target"].sort_values("rtol", ascending=False)
    if rows.empty:
        return ""
    target, tightest = rows.iloc[0], rows.iloc[-1]
    limit = float(tightest["reference_norm"])
    return (
        f"Against a fixed target, made at rtol {tolerance(target['rtol'])}, the certified gradient "
        f"is not 0 but has norm {number(limit)}; full control at rtol "
        f"{tolerance(tightest['rtol'])} gives {number(tightest['gradient_norm'])}. Only an exact "
        "target makes the true value 0."
    )


def residual(row: Mapping[Any, Any]) -> str:
    """The largest residual with its unit."""
    unit = str(row["residual_unit"])
    return f"{number(float(row['residual_max']))}{'' if unit in ('', '1') else f' {unit}'}"


def _row(loosest: pd.DataFrame, variant: str) -> Any:
    return loosest.loc[variant] if variant in loosest.index else None
