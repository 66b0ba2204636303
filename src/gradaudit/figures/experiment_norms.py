"""The right half of the experiment's figure: gradient norms, and what their errors are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from gradaudit.figures import style
from gradaudit.figures.axes import darker, tolerance_axis

MARKERS = {"dual_norm": "D", "full_control": "s", "same_grid": "o", "coarse_target": "^"}


def draw_norms(
    ax: Axes,
    table: pd.DataFrame,
    variants: Mapping[str, str],
    colours: Mapping[str, Any],
    published: float | None,
) -> None:
    """Norm of the gradient of the loss against the tolerance, one labelled line a variant."""
    norms = style.as_numbers(table["gradient_norm"])
    shown = norms[np.isfinite(norms) & (norms > 0.0)]
    known = [*shown, *([published] if published else [])] or [1.0]
    bottom, top = min(known) / 5.0, max(known) * 8.0
    ax.set_yscale("log")
    ax.set_ylim(bottom, top)
    tolerance_axis(ax, table["rtol"].unique().tolist())
    starts, ends = {}, {}
    for index, name in enumerate(variants):
        rows = table[table["variant"] == name].sort_values("rtol", ascending=False)
        x = style.as_numbers(rows["rtol"])
        y = np.where(style.failed_rows(rows), np.nan, style.as_numbers(rows["gradient_norm"]))
        failed = ~np.isfinite(y)
        y = np.clip(y, bottom * 1.3, top / 1.3)
        ax.plot(
            x,
            y,
            color=colours[name],
            marker=MARKERS.get(name, "o"),
            ms=5.5,
            lw=1.8 if index else 5.0,  # the first is seen below one that coincides with it
            mec="white",
            mew=0.6,
        )
        ax.plot(
            x[failed],
            np.full(failed.sum(), 0.965),
            transform=ax.get_xaxis_transform(),
            ls="none",
            marker="x",
            mew=1.6,
            color=colours[name],
        )
        starts[name], ends[name] = (
            y[~failed][[0, -1]] if (~failed).any() else (top / 1.5, top / 1.5)
        )
    _limit(ax, table, colours)
    if published:
        ax.plot(
            table["rtol"].max(),
            published,
            marker="*",
            ms=15,
            mfc="none",
            mec=style.INK,
            mew=1.2,
            ls="none",
            zorder=5,
        )
        ax.annotate(
            f"published: {style.power(published)}",
            (table["rtol"].max(), published),
            xytext=(13, 7),
            textcoords="offset points",
            fontsize=8.8,
        )
    _label_ends(ax, starts, ends, variants, colours)
    ax.yaxis.set_major_locator(LogLocator(numticks=8))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.grid(axis="y", color=style.FAINT, lw=0.6)
    ax.set_ylabel("norm of the gradient of the loss")
    ax.set_xlabel("relative tolerance rtol (tighter to the right)")
    ax.set_title(
        "Norm of the gradient, by the way to compute it"
        + (" (×: failed)" if style.failed_rows(table).any() else "")
    )


def draw_parts(
    ax: Axes,
    loosest: pd.DataFrame,
    variants: Mapping[str, str],
    variant_colour: Mapping[str, Any],
) -> None:
    """State part and tangent part of the error at the loosest tolerance, one row per variant."""
    colours = style.PARTS
    for row, name in enumerate(variants):
        ax.text(
            0.012,
            row - 0.36,
            variants[name].replace("\n", " "),
            fontsize=8.8,
            va="center",
            transform=ax.get_yaxis_transform(),
            color=darker(variant_colour[name]),
            fontweight="bold",
        )
        if name not in loosest.index or loosest["status"][name] != "ok":
            ax.text(0.02, row, "failed", transform=ax.get_yaxis_transform(), va="center")
            continue
        values = {part: float(loosest[part][name]) for part in colours}
        ax.plot(list(values.values()), [row, row], color=style.FAINT, lw=3, zorder=1)
        for part, colour in colours.items():
            state = part == "state_part"
            ax.plot(
                values[part],
                row,
                ls="none",
                marker="s" if state else "o",
                ms=12 if state else 7,
                color=colour,
                mec="white",
                zorder=2,
            )
        ax.text(
            1.035,
            row,
            f"tangents {_percent(float(loosest['tangent_error'][name]))} wrong",
            transform=ax.get_yaxis_transform(),
            va="center",
        )
    ax.set_xscale("log")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.grid(axis="x", color=style.FAINT, lw=0.6)
    ax.set_ylim(len(variants) - 0.6, -0.6)
    ax.set_yticks([])
    ax.margins(x=0.12)
    ax.set_xlabel("norm of the part of the error")
    rtol = float(loosest["rtol"].iloc[0])
    ax.set_title(f"Error attribution at rtol {style.power(rtol)}:")
    for part, x in (("state_part", 0.64), ("tangent_part", 1.035)):
        label = "■ wrong states" if part == "state_part" else "● wrong tangents"
        ax.text(x, 1.035, label, transform=ax.transAxes, color=colours[part], fontweight="bold")


def _limit(ax: Axes, table: pd.DataFrame, colours: Mapping[str, Any]) -> None:
    """The certified gradient for the coarse target, as a dashed line."""
    limits = table.loc[table["variant"] == "coarse_target", "reference_norm"]
    limits = limits[limits > 0.0]
    if limits.empty:
        return
    limit = float(limits.iloc[-1])
    ax.axhline(limit, color=colours["coarse_target"], ls=(0, (5, 3)), lw=1.0)
    ax.annotate(
        f"its certified limit {style.power(limit)}",
        (table["rtol"].min(), limit),
        xytext=(0, 6),
        textcoords="offset points",
        ha="right",
        fontsize=8.5,
        color=darker(colours["coarse_target"]),
    )


def _label_ends(
    ax: Axes,
    starts: Mapping[str, float],
    ends: Mapping[str, float],
    variants: Mapping[str, str],
    colours: Mapping[str, Any],
) -> None:
    """Names beside the right ends of the lines, moved apart where they would overlap."""
    low, high = np.log10(ax.get_ylim())

    def height(value: float) -> float:
        return float((np.log10(value) - low) / (high - low))

    # Lines that end together are told apart by where they begin.
    heights = [height(ends[name]) + 0.05 * height(starts[name]) for name in ends]
    for name, place in zip(ends, spread(heights, gap=0.125), strict=True):
        ax.annotate(
            variants[name],
            (0.955, height(ends[name])),
            xytext=(1.035, place),
            xycoords="axes fraction",
            textcoords="axes fraction",
            va="center",
            color=darker(colours[name]),
            fontsize=8.8,
            fontweight="bold",
            linespacing=1.15,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colours[name],
                "lw": 0.7,
                "shrinkA": 1,
                "shrinkB": 1,
                "relpos": (0.0, 0.5),
            },
        )


def _percent(share: float) -> str:
    """A share with two digits: 35 %, 3.6 %, or as a factor where it is above 1."""
    return f"{share:.2g} times" if share > 1.0 else f"{100.0 * share:.2g} %"


def spread(heights: list[float], *, gap: float) -> list[float]:
    """Heights at least `gap` apart, in the same order, each as near to its own as that allows."""
    if not heights:
        return []
    order = np.argsort(heights, kind="stable")
    placed = np.array(heights, dtype=float)[order]
    for _ in range(200):
        gaps = np.diff(placed)
        if len(gaps) == 0 or gaps.min() >= gap - 1e-9:
            break
        for i in np.flatnonzero(gaps < gap):
            push = (gap - (placed[i + 1] - placed[i])) / 2.0
            if push > 0:
                placed[i] -= push
                placed[i + 1] += push
    result = np.empty_like(placed)
    result[order] = placed
    return result.tolist()
