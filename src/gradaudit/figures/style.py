"""What all figures share: colours, markers, names and fonts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from gradaudit.records.catalogue import catalogue, names
from gradaudit.records.labels import functional_names, in_order

VERDICTS = {"good": "#1f8a83", "bad": "#efb034", "horrible": "#b3193a"}
"""From best to worst; they differ in hue and in lightness, and stay apart for the colour-blind."""


PARTS = {"state_part": "#3d4451", "tangent_part": "#56b4e9"}
"""Colours of what wrong states and wrong tangents do; no method has them."""

INK, MUTED, FAINT = "#222222", "#5f6368", "#d9dce0"

_MARKERS = ("o", "s", "D", "P", "p", "h", "*", "X")
"""Of solvers; triangles mark what is off the scale."""

_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1, 1, 1)))

_RC: dict[Any, Any] = {
    "font.size": 9.5,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#8a8f96",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.color": "#4a4e54",
    "ytick.color": "#4a4e54",
    "legend.fontsize": 9,
    "legend.frameon": False,
    "text.color": INK,
    "svg.hashsalt": "gradaudit",
}


@contextmanager
def styled(settings: Mapping[str, Any]) -> Iterator[None]:
    """The style of the project for all that is drawn inside."""
    with plt.rc_context({**_RC, "figure.dpi": settings.get("dpi", 150)}):
        yield


def method_colours(methods: Iterable[str], palette: str) -> dict[str, Any]:
    """A colour a method, the same in every figure whichever methods are drawn."""
    present = set(methods)
    order = in_order({*names("methods"), *present}, "methods")
    shades = sns.color_palette(palette, len(order))
    # The second and the fourth colour of the palette for the colour-blind are both a kind of
    # orange, and the curves of full control and of the dual norm often coincide.
    shades[3:5] = reversed(shades[3:5])
    colours = dict(zip(order, shades, strict=True))
    return {name: colours[name] for name in order if name in present}


def solver_styles(solvers: Iterable[str]) -> dict[str, tuple[str, Any]]:
    """Marker and dashes of every solver, in alphabetical order."""
    return {
        name: (_MARKERS[i % len(_MARKERS)], _DASHES[i % len(_DASHES)])
        for i, name in enumerate(sorted(set(solvers)))
    }


def functionals_of(table: pd.DataFrame) -> dict[str, str]:
    """Functional to its name in words, in the order of the panels."""
    kinds = dict(zip(table["functional"].astype(str), table["kind"].astype(str), strict=True))
    return functional_names(kinds)


def chosen_functionals(table: pd.DataFrame, most: int) -> tuple[dict[str, str], str]:
    """The functionals that a figure of one model shows, so that a person can take it in.

    The main kinds first, one of each, then those whose errors are largest in the median; in the
    order of the panels.

    Returns
    -------
    dict, str
        Functional to its name in words; and what to say of those left out, empty if none is.
    """
    names = functionals_of(table)
    if len(names) <= most:
        return names, ""
    main = {name for name, family in catalogue("functionals").items() if family.is_main}
    kinds = dict(zip(table["functional"].astype(str), table["kind"].astype(str), strict=True))
    median = pd.Series(as_numbers(table["error"])).groupby(table["functional"].to_numpy()).median()
    first = {kind: name for name, kind in reversed(kinds.items()) if kind in main}
    ranked = sorted(
        names, key=lambda name: (name not in first.values(), -float(median.fillna(np.inf)[name]))
    )
    kept = set(ranked[:most])
    text = f"{most} of {len(names)} functionals are drawn."
    return {name: word for name, word in names.items() if name in kept}, text


def as_numbers(values: Any) -> np.ndarray:
    """Floats, whatever the table holds; NaN for what is missing."""
    return pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(dtype=float)


def failed_rows(table: pd.DataFrame) -> np.ndarray:
    """Which rows are of solves that did not end well."""
    return (table["status"] != "ok").to_numpy()


def close(figure: Figure) -> None:
    """Free the memory of a figure that was written."""
    plt.close(figure)


def power(value: float) -> str:
    """A number as tables print it: 1e-3, 1.75e6."""
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"
