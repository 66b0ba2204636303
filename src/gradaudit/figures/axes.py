"""Logarithmic axes, and the bands of the verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator

from gradaudit.figures.style import MUTED, VERDICTS
from gradaudit.records.numbers import number

CEILING = 1e6
"""Errors above it are drawn at the upper edge: a useless gradient may be of any size."""

FLOOR = 1e-17

MARGIN = 0.04
"""How far from the frame values beyond it are drawn, over the height of a panel."""

STRIP = 0.13
"""Upper part of a panel that is kept for failed solves, where there are any."""


ERRORS = ("right", "inaccurate", "wrong")
"""What the card of an audit calls an error, with the colours of the verdicts."""


@dataclass(frozen=True, kw_only=True)
class VerdictBounds:
    """Errors up to `good` are good, above `horrible` horrible."""

    good: float
    horrible: float

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> VerdictBounds:
        """From the settings of a figure; the defaults are those of the configuration."""
        return cls(good=settings.get("good", 1e-2), horrible=settings.get("horrible", 0.5))


def bands(ax: Axes, bounds: VerdictBounds, top: float) -> None:
    """Errors that are inaccurate and wrong, as bands of a panel; `band_handles` names them."""
    ax.axhspan(bounds.horrible, top, color=VERDICTS["horrible"], alpha=0.1, lw=0)
    ax.axhspan(bounds.good, bounds.horrible, color=VERDICTS["bad"], alpha=0.13, lw=0)


def band_handles(bounds: VerdictBounds) -> list[Patch]:
    """What the bands are, for a legend; stronger than in the panels, as they are small there."""
    good, horrible = number(bounds.good), number(bounds.horrible)
    _, inaccurate, wrong = ERRORS
    return [
        Patch(color=VERDICTS["bad"], alpha=0.3, lw=0, label=f"{inaccurate}: {good} to {horrible}"),
        Patch(color=VERDICTS["horrible"], alpha=0.25, lw=0, label=f"{wrong}: above {horrible}"),
    ]


@dataclass(frozen=True, kw_only=True)
class ErrorRange:
    """Errors from `bottom` to `top` are drawn where they are; the axis ends at `edge`.

    Between `top` and `edge` is the strip of the failed solves, where there are any.
    """

    bottom: float
    top: float
    edge: float

    @classmethod
    def of(cls, errors: np.ndarray, thresholds: VerdictBounds, *, failed: bool) -> ErrorRange:
        """Whole decades around the errors and the thresholds."""
        shown = errors[np.isfinite(errors) & (errors > 0.0)]
        low = max(min([*shown, thresholds.good / 10.0]), FLOOR)
        high = min(max([*shown, thresholds.horrible * 10.0]), CEILING)
        bottom, top = np.floor(np.log10(low) - 0.15), np.ceil(np.log10(high) + 0.15)
        if (errors < 10.0**bottom).any():  # they get a place of their own, off the frame
            bottom -= np.ceil(2.0 * MARGIN * (top - bottom))
        edge = top + failed * (top - bottom) * STRIP / (1.0 - STRIP)
        return cls(bottom=float(10.0**bottom), top=float(10.0**top), edge=float(10.0**edge))

    @property
    def failed(self) -> bool:
        """Whether there is a strip for failed solves."""
        return self.edge > self.top

    def inside(self, values: np.ndarray) -> np.ndarray:
        """Values, those beyond the range moved to its ends, and off the frame."""
        off = (self.top / self.bottom) ** MARGIN
        above, below = values > self.top, values < self.bottom
        return np.where(above, self.top / off, np.where(below, self.bottom * off, values))


def error_axis(ax: Axes, limits: ErrorRange, *, grid: str = "white") -> None:
    """A logarithmic axis with about seven ticks, and the strip of the failed named at its left."""
    if ax.get_yscale() != "log":  # panels that share their axis share all of this
        ax.set_yscale("log")
        ax.set_ylim(limits.bottom, limits.edge)
        low, high = (round(np.log10(value)) for value in (limits.bottom, limits.top))
        stride = max(1, -(-(high - low) // 7))
        # Ticks at multiples of the stride, so that an error of 1 has one.
        first = -(-low // stride) * stride
        decades = range(first, high + (not limits.failed), stride)
        ax.yaxis.set_major_locator(FixedLocator([10.0**k for k in decades]))
        ax.yaxis.set_minor_locator(NullLocator())
    ax.grid(axis="y", color=grid, linewidth=0.8)
    ax.set_axisbelow(True)
    if not limits.failed:
        return
    ax.axhline(limits.top, color=MUTED, lw=0.7, ls=(0, (1, 2)))
    place = ax.get_subplotspec()
    if place is not None and place.is_first_col():
        ax.text(
            -0.018,
            1.0 - STRIP / 2,
            "failed",
            transform=ax.transAxes,
            ha="right",
            va="center",
            color=MUTED,
            fontsize=8.5,
        )


def verdict_bands(ax: Axes, thresholds: VerdictBounds, limits: ErrorRange, *, names: bool) -> None:
    """Errors that are right, inaccurate and wrong as tinted bands, named to the right if wanted.

    Verdicts have other words: a series may be horrible although an error of it is right.
    """
    edges = (limits.bottom, thresholds.good, thresholds.horrible, limits.edge)
    bands = zip(ERRORS, VERDICTS.values(), edges, edges[1:], strict=False)
    for word, colour, low, high in bands:
        ax.axhspan(low, high, color=colour, alpha=0.11, linewidth=0, zorder=0)
        if names:
            ax.text(
                1.015,
                np.sqrt(low * high),
                word,
                transform=ax.get_yaxis_transform(),
                ha="left",
                va="center",
                color=darker(colour),
                fontsize=8.5,
                fontweight="bold",
            )


def tolerance_axis(ax: Axes, tolerances: Sequence[float], *, ticks: int = 6) -> None:
    """A logarithmic axis on which tighter tolerances are further to the right.

    Of the powers of ten among the tolerances every one is a tick, or every second, and so on.
    """
    if ax.get_xscale() == "log":  # a panel that shares its axis with another one
        return
    ax.set_xscale("log")
    ax.set_xlim(max(tolerances) * 2.2, min(tolerances) / 2.2)
    high, low = (round(np.log10(limit(tolerances))) for limit in (max, min))
    stride = max(1, -(-(high - low + 1) // ticks))
    ax.xaxis.set_major_locator(FixedLocator([10.0**k for k in range(high, low - 1, -stride)]))
    ax.xaxis.set_minor_locator(NullLocator())


def darker(colour: Any, share: float = 0.72) -> tuple[float, ...]:
    """A colour, in any form that Matplotlib takes, that is dark enough for text."""
    return tuple(part * share for part in to_rgb(colour))
