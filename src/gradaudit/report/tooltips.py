"""Tooltips of the figures, as the page lays them over the images."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from gradaudit.records.figure import TOOLTIPS


@dataclass(frozen=True, kw_only=True)
class Tooltips:
    """Size of the image in pixels, and the marks in the form of `gradaudit.figures.tooltips`.

    `marks` are deflated and in base64, since in the largest study there are twenty thousand; the
    script of the page makes elements of them where a figure is seen.
    """

    width: int
    height: int
    marks: str


def tooltips(paths: Sequence[Path]) -> dict[str, Tooltips]:
    """Those of the figures that have any, by the stem of the file."""
    found = {}
    for path in map(Path, paths):
        with Image.open(path) as image:
            text = image.info.get(TOOLTIPS, "")
            if text:
                packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
                found[path.stem] = Tooltips(width=image.width, height=image.height, marks=packed)
    return found
