"""Figures that have no place of their own on the page: shown at its end, as they declare."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gradaudit.records.figure import EACH, drawings
from gradaudit.report.render import CAPTIONS

PLACED = {*CAPTIONS, "regime_map", "indicator", "experiment"}
"""Figures that the template shows by name."""

_MODEL = re.compile(r"\{\{\s*snakemake\.wildcards\.model\s*\}\}")


@dataclass(frozen=True)
class Further:
    """A figure at the end of the page: its title, caption, and the image as an address."""

    title: str
    caption: str
    source: str


def further(images: Mapping[str, str]) -> list[Further]:
    """The figures among `images`, by stem of the file, that are shown nowhere else."""
    figures = []
    for name, (_, drawing) in drawings().items():
        if name in PLACED:
            continue
        for stem, source in images.items():
            of_model = drawing.of in EACH and stem.startswith(f"{name}_")
            if stem != name and not of_model:
                continue
            model = stem.removeprefix(name).removeprefix("_")
            title = f"{drawing.label}: {model}" if model else drawing.label
            caption = _MODEL.sub(model, drawing.caption).replace("``", "")
            figures.append(Further(f"{title[0].upper()}{title[1:]}", caption, source))
    return figures
