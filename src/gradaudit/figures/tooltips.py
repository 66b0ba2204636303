"""What the marks of a figure say to a reader who points at them: text and place.

A figure is kept as an image. Its tooltips go into the same file, under
`gradaudit.records.figure.TOOLTIPS`, and the report lays
them over the image.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Transform


@dataclass(frozen=True, kw_only=True)
class _Mark:
    """Two opposite corners, which are the same for a point, in the coordinates of `transform`."""

    corners: np.ndarray
    transform: Transform
    text: str


_told: WeakKeyDictionary[Figure, list[_Mark]] = WeakKeyDictionary()


def tell(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    *,
    width: float = 0.0,
    height: float = 0.0,
    transform: Transform | None = None,
) -> None:
    """Note what the point (x, y) says, or the rectangle of this size that begins there.

    Parameters
    ----------
    transform
        Of the coordinates; by default those of the data.
    """
    figure = ax.get_figure(root=True)
    if figure is None or not np.all(np.isfinite([x, y])):
        return
    corners = np.array([[x, y], [x + width, y + height]], dtype=float)
    mark = _Mark(corners=corners, transform=transform or ax.transData, text=text)
    _told.setdefault(figure, []).append(mark)


def tooltips(figure: Figure) -> str:
    """A JSON array of [left, top, width, height, text] in pixels; empty where nothing is told.

    The figure has to be drawn, since only then the places are known.
    """
    marks = _told.get(figure, [])
    whole = figure.bbox.height
    found = []
    for mark in marks:
        places = mark.transform.transform(mark.corners)
        (left, low), (right, high) = places.min(axis=0), places.max(axis=0)
        sides = (left, whole - high, right - left, high - low)
        if all(np.isfinite(sides)):
            found.append([*(round(float(side)) for side in sides), mark.text])
    return json.dumps(found, separators=(",", ":"), ensure_ascii=True) if found else ""


def short(value: float) -> str:
    """Two digits of a number, with the exponent where it is small or large: 3.2e-4."""
    if not np.isfinite(value):
        return "not finite"
    if value == 0.0 or 0.01 <= abs(value) < 1000.0:
        return f"{value:.2g}" if abs(value) < 100.0 else f"{value:.0f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"
