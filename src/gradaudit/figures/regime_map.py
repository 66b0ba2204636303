"""The tolerance that every model needs under every solver and method."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from gradaudit.analysis.audit_rows import HARMFUL
from gradaudit.figures import layout, style
from gradaudit.figures.tooltips import short, tell
from gradaudit.records.catalogue import catalogue
from gradaudit.records.figure import Drawing
from gradaudit.records.labels import VERDICTS, in_order, kind_name, method_name, worst

FIGURE = Drawing(
    of="atlas",
    tables=("atlas.verdicts",),
    label="map of regimes",
    category="Atlas",
    caption=(
        "The loosest sufficient tolerance of every model under every solver and method: a cell's "
        "number is -log10 of the relative tolerance from which on the gradient is good."
    ),
)


CELL, GAP, TOP, HEADS, BOTTOM = 0.36, 0.26, 1.05, 2.55, 1.35
"""Inches: a cell, the space between panels, and the room for titles, heads of columns, legends."""

GROUP, MODEL, EXPECTED = 1.95, 1.95, 0.62
"""Inches: the columns of the mechanisms, of the models and of the expected verdict."""

LETTERS = 21
"""In a line of the name of a mechanism or a model."""

NEVER = "–"
"""In a cell: no tolerance of the series is sufficient."""

NUMBER = re.compile(r"(\d+(?:\.\d+)?)")
"""In the name of a model."""


_LEGEND = {
    "good": "G  good from rtol 1e-3 on",
    "bad": "B  bad: good from that tolerance on only, a solve failed, or the error falls and stops",
    "horrible": f"H  horrible: good from none on ({NEVER}); or, with a number and !, "
    "the error is stuck or has spikes",
}


def regime_map(verdicts: pd.DataFrame, *, settings: Mapping[str, Any]) -> Figure:
    """Rows are models grouped by mechanism; a panel a kind of functional, a column a setting.

    A cell is the worst over the functionals of its kind: the tightest of the sufficient tolerances
    as -log10 rtol, coloured by the verdict. The first column is the verdict that the model's
    mechanism lets one expect of forward AD. Kinds that less than half of the models have are below,
    with those models. Solvers that few models have are left out.

    Parameters
    ----------
    verdicts
        Of stage atlas: one row per tolerance series.
    settings
        ``palette`` and ``dpi``.
    """
    blocks = _blocks(_with_mechanisms(verdicts))
    width = max(_width(block) for block in blocks)
    height = TOP + sum(HEADS + len(block.models) * CELL for block in blocks) + BOTTOM
    with style.styled(settings):
        figure = plt.figure(figsize=(max(width, 9.6), height))
        above = TOP
        for block in blocks:
            above += HEADS
            _draw(figure, block, above)
            above += len(block.models) * CELL
        figure.legend(
            handles=[
                Patch(color=style.VERDICTS[word], label=text) for word, text in _LEGEND.items()
            ]
            + [Patch(facecolor="#eef0f2", label="not audited")],
            loc="lower left",
            bbox_to_anchor=(0.005, 0.0),
            fontsize=10.5,
            borderaxespad=0.4,
        )
        layout.head(
            figure,
            "Which tolerance a gradient needs",
            "Numbers are -log10 of the loosest relative tolerance from which on the gradient is "
            "good, the worst over the functionals of a kind: 6 is 1e-6.\n"
            "“Expected” is the verdict that the mechanism suggests. Solvers of few models are left "
            "out; of models whose mechanism is a variant of a solver\n"
            "(single precision, dense output, loose roots) the column of the solver shows that "
            "variant.",
        )
    return figure


@dataclass(frozen=True, kw_only=True)
class _Block:
    """Models one below the other, and for each kind of functional its rows and its columns."""

    models: list[Any]
    parts: Mapping[str, pd.DataFrame]
    columns: Mapping[str, list[tuple[str, str]]]


def _with_mechanisms(verdicts: pd.DataFrame) -> pd.DataFrame:
    """The variants of solvers that are a model's mechanism, in the place of the solvers."""
    if "variant" not in verdicts:
        return verdicts
    harmful = verdicts["variant"].fillna("").str.contains(HARMFUL)
    own = ["model", "base_solver", "method", "functional", "kind"]
    place = list(verdicts[own].itertuples(index=False, name=None))
    taken = {series for series, harms in zip(place, harmful, strict=True) if harms}
    plain = pd.Series([series not in taken for series in place], index=verdicts.index)
    solver = verdicts["solver"].where(~harmful, verdicts["base_solver"])
    return verdicts.assign(solver=solver)[harmful | plain]


def _blocks(verdicts: pd.DataFrame) -> list[_Block]:
    """The kinds that most models have, with all models; below them the others, with their models.

    One page holds the main kinds; others are shown where there are none of them.
    """
    present = set(verdicts["kind"])
    main = {name for name, family in catalogue("functionals").items() if family.is_main}
    kinds = in_order((present & main) or present, "functionals")
    known = verdicts[verdicts["kind"].isin(kinds) & _shown(verdicts)]
    half = verdicts["model"].nunique() / 2.0
    held = known.groupby("kind")["model"].nunique().to_dict()
    common = [kind for kind in kinds if held.get(kind, 0) >= half] or kinds
    rare = [kind for kind in kinds if kind not in common]
    blocks = [_block(verdicts, known, common)]
    if rare:
        own = set(known.loc[known["kind"].isin(rare), "model"])
        blocks.append(_block(verdicts[verdicts["model"].isin(own)], known, rare))
    return blocks


def _block(verdicts: pd.DataFrame, known: pd.DataFrame, kinds: Sequence[str]) -> _Block:
    parts = {kind: known[known["kind"] == kind] for kind in kinds}
    columns = {kind: _columns(rows) for kind, rows in parts.items()}
    return _Block(models=_models(verdicts), parts=parts, columns=columns)


def _width(block: _Block) -> float:
    spans = [max(len(pairs), 4) * CELL + GAP for pairs in block.columns.values()]
    return GROUP + MODEL + EXPECTED + sum(spans)


def _draw(figure: Figure, block: _Block, above: float) -> None:
    """A block whose first row is `above` inches below the upper edge of the figure."""
    width, height = (float(size) for size in figure.get_size_inches())
    rows = len(block.models)

    def panel(left: float, count: int) -> Axes:
        bottom = height - above - rows * CELL
        area = (left / width, bottom / height, count * CELL / width, rows * CELL / height)
        ax = figure.add_axes(area)
        ax.set_xlim(0, count)
        ax.set_ylim(rows, 0)
        ax.axis("off")
        return ax

    expected = panel(GROUP + MODEL, 1)
    _names(expected, block.models)
    _expected(expected, block.models)
    _groups(expected, block.models, _width(block))
    left = GROUP + MODEL + EXPECTED
    for kind, pairs in block.columns.items():
        ax = panel(left, len(pairs))
        _cells(ax, block.parts[kind], block.models, pairs)
        _heads(ax, pairs, kind_name(kind))
        left += max(len(pairs), 4) * CELL + GAP


def _models(verdicts: pd.DataFrame) -> list[Any]:
    """Models with mechanism and expected regime, grouped by mechanism, the good ones first."""
    rows = verdicts[["model", "mechanism", "regime"]].drop_duplicates("model").fillna("")
    ranks = {word: rank for rank, word in enumerate(VERDICTS)}
    rows = rows.assign(_rank=rows["regime"].map(ranks).fillna(len(VERDICTS)))
    rows["_group"] = rows.groupby("mechanism")["_rank"].transform("min")
    rows["_name"] = rows["model"].map(_by_numbers)
    order = ["_group", "mechanism", "_rank", "_name"]
    return list(rows.sort_values(order).drop(columns="_name").itertuples(index=False))


def _by_numbers(name: str) -> tuple[str | float, ...]:
    """A key by which numbers within names are sorted as numbers: t_end=50 before t_end=200."""
    parts = NUMBER.split(name)
    return tuple(float(part) if place % 2 else part for place, part in enumerate(parts))


def _shown(verdicts: pd.DataFrame) -> pd.Series:
    """Rows of solvers that at least a quarter of the models have: others would be empty columns."""
    models = verdicts.groupby("solver")["model"].nunique()
    common = models[models >= 0.25 * verdicts["model"].nunique()].index
    return verdicts["solver"].isin(common)


def _columns(verdicts: pd.DataFrame) -> list[tuple[str, str]]:
    """(method, solver), methods in their usual order."""
    pairs = set(zip(verdicts["method"], verdicts["solver"], strict=True))
    order = in_order({method for method, _ in pairs}, "methods")
    return sorted(pairs, key=lambda pair: (order.index(pair[0]), pair[1]))


def _cells(
    ax: Axes, verdicts: pd.DataFrame, models: Sequence[Any], columns: Sequence[tuple[str, str]]
) -> None:
    cells = dict(iter(verdicts.groupby(["model", "method", "solver"])))
    for y, row in enumerate(models):
        for x, (method, solver) in enumerate(columns):
            rows = cells.get((row.model, method, solver))
            if rows is None:
                _cell(ax, x, y, "", "")
            else:
                word = worst(rows["verdict"].tolist())
                _cell(ax, x, y, word, needed(word, rows["sufficient_rtol"].tolist()))
                tell(ax, x, y, _told(row, method, solver, word, rows), width=1, height=1)


def _told(model: Any, method: str, solver: str, word: str, rows: pd.DataFrame) -> str:
    """What a cell says to who points at it."""
    sufficient = rows["sufficient_rtol"].tolist()
    enough = all(value > 0.0 for value in sufficient)
    needs = (
        f"sufficient from rtol {short(min(sufficient))} on" if enough else "no tolerance suffices"
    )
    named = f"{model.model} ({model.mechanism})" if model.mechanism else str(model.model)
    largest = style.as_numbers(rows["worst_error"])
    largest = largest[np.isfinite(largest)]
    errors = f"; largest error {short(float(largest.max()))}" if len(largest) else ""
    failed = int(rows["failed"].max())
    lost = f"; failed solves: {failed}" if failed else ""
    if word != "good" and enough:
        spikes = int(rows["spikes"].max())
        stuck = not rows["converging"].astype(bool).all()
        lost += "; does not converge" * stuck + f"; spikes: {spikes}" * (spikes > 0)
    return f"{named}, {method_name(method)}, {solver}: {word}, {needs}{errors}{lost}"


def needed(verdict: str, sufficient: Sequence[float]) -> str:
    """What a cell says of series with those sufficient tolerances, NaN where there is none.

    -log10 of the tightest of them; with a mark if the verdict is horrible all the same, for a
    spike, a wrong direction, a term that is missing, or because the error is stuck.
    """
    if not verdict:
        return ""
    if not all(value > 0.0 for value in sufficient):
        return NEVER
    digits = f"{-math.log10(min(sufficient)):.1f}".removesuffix(".0")
    return f"{digits}!" if verdict == "horrible" else digits


def _cell(ax: Axes, x: int, y: int, word: str, text: str, *, inset: float = 0.04) -> None:
    colour: Any = style.VERDICTS.get(word, "#eef0f2")
    if word == "bad" and text[:1].isdigit():
        colour = _shade(float(text))
    ax.add_patch(
        Rectangle((x + inset, y + inset), 1 - 2 * inset, 1 - 2 * inset, color=colour, lw=0)
    )
    if text:
        ink = style.INK if word == "bad" else "white"
        ax.text(
            x + 0.5,
            y + 0.52,
            text,
            ha="center",
            va="center",
            color=ink,
            fontsize=11 if len(text) < 3 else 9.5,
            fontweight="bold",
        )


def _shade(digits: float) -> Any:
    """The colour of a bad cell: the darker, the tighter the tolerance that it needs."""
    share = min(max((digits - 3.0) / 5.0, 0.0), 1.0)
    return sns.blend_palette(["#f8dc9c", style.VERDICTS["bad"], "#d9820f"], as_cmap=True)(share)


def _expected(ax: Axes, models: Sequence[Any]) -> None:
    for y, row in enumerate(models):
        _cell(ax, 0, y, row.regime, row.regime[:1].upper(), inset=0.13)
    ax.text(
        0.5,
        -0.25,
        "expected",
        rotation=90,
        ha="center",
        va="bottom",
        fontsize=10.5,
        color=style.MUTED,
    )


def _names(ax: Axes, models: Sequence[Any]) -> None:
    for y, row in enumerate(models):
        # A long name is broken where its setting begins.
        name = str(row.model)
        shown = name if len(name) <= LETTERS else name.replace("@", "\n@", 1)
        ax.text(
            -0.2, y + 0.5, shown, ha="right", va="center", fontsize=10 if shown == name else 9,
            linespacing=1.0,
        )  # fmt: skip


def _heads(ax: Axes, columns: Sequence[tuple[str, str]], title: str) -> None:
    """Solvers above the columns, methods above those, the kind of functional on top."""
    upright: dict[str, Any] = {"rotation": 90, "ha": "center", "va": "bottom", "fontsize": 10.5}
    for x, (_, solver) in enumerate(columns):
        ax.text(x + 0.5, -0.2, solver, **upright)
    for method in dict.fromkeys(method for method, _ in columns):
        places = [x for x, (name, _) in enumerate(columns) if name == method]
        middle = (places[0] + places[-1] + 1) / 2.0
        ax.plot(
            [places[0] + 0.1, places[-1] + 0.9],
            [-2.3, -2.3],
            color=style.MUTED,
            lw=0.8,
            clip_on=False,
        )
        ax.text(middle, -2.45, method_name(method), color=style.MUTED, **upright)
        if places[0]:
            ax.axvline(places[0], color="white", lw=2.5)
    wrapped = textwrap.fill(title, max(int(max(len(columns), 4) * CELL / 0.1), 14))
    ax.text(0.0, -5.2, wrapped, ha="left", va="bottom", fontsize=11.5, fontweight="bold")


def _groups(ax: Axes, models: Sequence[Any], width: float) -> None:
    """The mechanism beside the first model of each group, and a line above it."""
    left = -(GROUP + MODEL - 0.12) / CELL
    for y, row in enumerate(models):
        if y and models[y - 1].mechanism == row.mechanism:
            continue
        ax.text(
            left,
            y + 0.5,
            textwrap.fill(row.mechanism, LETTERS + 2),
            ha="left",
            va="center",
            fontsize=9,
            linespacing=1.0,
            color=style.MUTED,
        )
        if y:
            ax.plot(
                [left, left + (width - 0.4) / CELL],
                [y, y],
                color=style.FAINT,
                lw=0.7,
                clip_on=False,
                zorder=0,
            )
