"""Where things are in a figure, in inches: panels, titles on top, legends below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gradaudit.figures.style import MUTED

LEFT, RIGHT, HEAD, LEGEND_ROW, LABEL = 0.85, 0.2, 0.98, 0.27, 0.62
MIN_WIDTH, MIN_HEIGHT = 8.4, 2.7


def panels(
    count: int,
    *,
    columns: int,
    size: tuple[float, float],
    gaps: tuple[float, float] = (0.35, 0.48),
    legends: int,
    left: float = LEFT,
    right: float = RIGHT,
    one_x: bool = True,
) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels of one size that share their axes.

    Parameters
    ----------
    count, columns
        Number of panels, and how many of them stand side by side at most; as many as fill as
        many rows evenly, so that four are two by two and not three and one.
    size, gaps
        Width and height of a panel, and of the space between panels, in inches.
    legends
        Rows of legends below the panels.
    left, right
        Room for the labels of the vertical axis, and beside the last column, in inches.
    one_x
        Whether they share the horizontal axis, too.
    """
    rows = -(-count // columns)
    columns = -(-count // rows)
    # Few panels are larger, so that the titles of the figure have room.
    around = left + (columns - 1) * gaps[0] + right
    size = (
        max(size[0], (MIN_WIDTH - around) / columns),
        max(size[1], MIN_HEIGHT if rows == 1 else 0.0),
    )
    width = around + columns * size[0]
    bottom = LABEL + legends * LEGEND_ROW + 0.1
    height = HEAD + rows * size[1] + (rows - 1) * gaps[1] + bottom
    figure, grid = plt.subplots(
        rows, columns, figsize=(width, height), sharex=one_x, sharey=True, squeeze=False
    )
    figure.subplots_adjust(
        left=left / width,
        right=(left + columns * size[0] + (columns - 1) * gaps[0]) / width,
        top=1.0 - HEAD / height,
        bottom=bottom / height,
        wspace=gaps[0] / size[0],
        hspace=gaps[1] / size[1],
    )
    axes = list(grid.flat)
    for index in range(count, len(axes)):
        axes[index].remove()
        axes[index - columns].tick_params(labelbottom=True)
    return figure, axes[:count]


def axis_names(figure: Figure, *, x: str, y: str, legends: int) -> None:
    """The names of the axes that all panels share."""
    width, height = figure.get_size_inches()
    axes = [ax.get_position() for ax in figure.axes]
    middle = (min(box.x0 for box in axes) + max(box.x1 for box in axes)) / 2.0
    center = (min(box.y0 for box in axes) + max(box.y1 for box in axes)) / 2.0
    below = (legends * LEGEND_ROW + 0.22) / height
    figure.text(middle, below, x, ha="center", va="center")
    figure.text(0.17 / width, center, y, ha="center", va="center", rotation=90)


def head(figure: Figure, title: str, subtitle: str = "") -> None:
    """A title at the left edge, and below it a line that says how to read the figure.

    A line that is wider than the figure becomes two, and smaller if that does not suffice.
    """
    width, height = figure.get_size_inches()
    room = figure.dpi * (width - 0.24)
    top = figure.text(
        0.12 / width, 1.0 - 0.24 / height, title, va="center", fontsize=13, fontweight="bold"
    )
    below = figure.text(0.12 / width, 1.0 - 0.52 / height, subtitle, va="center", color=MUTED)
    if subtitle and below.get_window_extent().width > room:
        below.set_text("\n".join(_halves(subtitle)))
        below.set(y=1.0 - 0.56 / height, linespacing=1.15)
    for line in (top, below):
        extent = line.get_window_extent().width if line.get_text() else 0.0
        if extent > room:
            line.set_fontsize(float(line.get_fontsize()) * room / extent)


def _halves(text: str) -> tuple[str, str]:
    """Two lines of about equal length; the words stay whole."""
    middle = len(text) // 2
    cut = min((i for i, c in enumerate(text) if c == " "), key=lambda i: abs(i - middle), default=0)
    return text[:cut].rstrip(), text[cut:].lstrip()


def legends_below(figure: Figure, rows: Mapping[str, Sequence[Any]]) -> None:
    """Legends in rows at the lower edge, each of which begins with its name."""
    width, height = figure.get_size_inches()
    for index, (title, handles) in enumerate(reversed(list(rows.items()))):
        figure.legend(
            handles=[Line2D([], [], ls="none"), *handles],
            labels=[title, *(str(handle.get_label()) for handle in handles)],
            loc="lower left",
            bbox_to_anchor=(-0.25 / width, (0.04 + index * LEGEND_ROW) / height),
            ncols=len(handles) + 1,
            handlelength=2.8,
            columnspacing=1.4,
            borderaxespad=0.0,
            borderpad=0.2,
        )
