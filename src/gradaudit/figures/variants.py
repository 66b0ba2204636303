"""Names and colours of the variants of the published experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import seaborn as sns

from gradaudit.figures.style import method_colours
from gradaudit.records.catalogue import names

VARIANTS = {
    "dual_norm": "dual norm\n(as published)",
    "full_control": "full control",
    "same_grid": "forward AD: small only because\nits grid is the target's",
    "coarse_target": "fixed coarse target: converges\nto another gradient",
}
"""Variant to its label, in the order of the figure."""

_METHOD = {
    "dual_norm": "dual_norm",
    "same_grid": "forward_ad",
    "full_control": "forward_sensitivity",
}


def variants_of(table: pd.DataFrame) -> dict[str, str]:
    """The variants of a table with their labels; one that is not known is called by its name."""
    present = list(table["variant"].unique())
    known = [name for name in VARIANTS if name in present]
    return {
        name: VARIANTS.get(name, name.replace("_", " "))
        for name in [*known, *sorted(set(present) - set(known))]
    }


def variant_colours(variants: Mapping[str, str], palette: str) -> dict[str, Any]:
    """The colour of the variant's method where it has one of its own, else a further one."""
    methods = method_colours(_METHOD.values(), palette)
    # From the eighth on: grey in the palette for the colour-blind, and no method's in this figure.
    others = iter(sns.color_palette(palette, len(names("methods")))[7:])
    return {name: methods[_METHOD[name]] if name in _METHOD else next(others) for name in variants}
