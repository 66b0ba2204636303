"""Logarithmic axes, and the bands of the verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, LogLocator, NullLocator

from gradaudit.figures.style import MUTED, VERDICTS

CEILING = 1e6
"""Errors above it are drawn at the upper edge: a useless gradient may be of any size."""

FLOOR = 1e-17

STRIP = 0.13
"""Upper part of a panel that is kept for failed solves, where there are any."""


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Errors up to `good` are good, above `horrible` horrible."""

    good: float
    horrible: float

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Thresholds:
        """From the settings of a figure; the defaults are those of the configuration."""
        return cls(good=settings.get("good", 1e-2), horrible=settings.get("horrible", 0.5))


def error_limits(
    errors: np.ndarray, thresholds: Thresholds, *, failed: bool
) -> tuple[float, float]:
    """Whole decades around the errors and the thresholds, with room for the failed on top."""
    shown = errors[np.isfinite(errors) & (errors > 0.0)]
    low = max(min([*shown, thresholds.good / 10.0]), FLOOR)
    high = min(max([*shown, thresholds.horrible * 10.0]), CEILING)
    bottom, top = np.floor(np.log10(low) - 0.15), np.ceil(np.log10(high) + 0.15)
    if failed:
        top += (top - bottom) * STRIP / (1.0 - STRIP)
    return float(10.0**bottom), float(10.0**top)


def error_axis(ax: Axes, limits: tuple[float, float]) -> None:
    """A logarithmic axis with a tick at every second decade or so."""
    ax.set_yscale("log")
    ax.set_ylim(limits)
    ax.yaxis.set_major_locator(LogLocator(numticks=8))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.grid(axis="y", color="white", linewidth=0.9, alpha=0.9)
    ax.set_axisbelow(True)


def tolerance_axis(ax: Axes, tolerances: Sequence[float], *, ticks: int = 6) -> None:
    """A logarithmic axis on which tighter tolerances are further to the right.

    Of the powers of ten among the tolerances every one is a tick, or every second, and so on.
    """
    ax.set_xscale("log")
    ax.set_xlim(max(tolerances) * 2.2, min(tolerances) / 2.2)
    high, low = (round(np.log10(limit(tolerances))) for limit in (max, min))
    stride = max(1, -(-(high - low + 1) // ticks))
    ax.xaxis.set_major_locator(FixedLocator([10.0**k for k in range(high, low - 1, -stride)]))
    ax.xaxis.set_minor_locator(NullLocator())


def verdict_bands(ax: Axes, thresholds: Thresholds, *, names: bool) -> None:
    """Good, bad and horrible errors as tinted bands, named at the left edge if wanted."""
    bottom, top = ax.get_ylim()
    edges = (bottom, thresholds.good, thresholds.horrible, top)
    for (verdict, colour), low, high in zip(VERDICTS.items(), edges, edges[1:], strict=False):
        ax.axhspan(low, high, color=colour, alpha=0.11, linewidth=0, zorder=0)
        if names:
            ax.text(
                0.985,
                np.sqrt(low * high)
                if verdict == "bad"
                else low * 1.5
                if low > bottom
                else high / 1.5,
                verdict,
                transform=ax.get_yaxis_transform(),
                ha="right",
                va="center" if verdict == "bad" else "bottom" if low > bottom else "top",
                color=darker(colour),
                fontsize=8.5,
                fontweight="bold",
            )


def name_failed_strip(ax: Axes) -> None:
    """What the strip on top of a panel is for."""
    ax.axhline(_strip_bottom(ax), color=MUTED, lw=0.6, ls=(0, (1, 2)))
    ax.text(
        0.015,
        1.0 - STRIP / 2,
        "failed",
        transform=ax.transAxes,
        ha="left",
        va="center",
        color=MUTED,
        fontsize=8.5,
    )


def darker(colour: str, share: float = 0.72) -> tuple[float, ...]:
    """A colour that is dark enough for text."""
    return tuple(int(colour[i : i + 2], 16) / 255.0 * share for i in (1, 3, 5))


def _strip_bottom(ax: Axes) -> float:
    bottom, top = np.log10(ax.get_ylim())
    return float(10.0 ** (top - STRIP * (top - bottom)))
