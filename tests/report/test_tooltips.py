"""Tooltips of the figures in the page."""

from __future__ import annotations

import base64
import json
import zlib

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gradaudit.records.figure import TOOLTIPS
from gradaudit.report.tooltips import tooltips

MARKS = [[10, 20, 5, 5, "forward AD, tsit5: “bad” & more"], [3, 4, 0, 0, "a point"]]


def test_they_are_read_from_the_files_with_the_size_of_the_image(tmp_path):
    for name, told in (("regime_map", json.dumps(MARKS)), ("laws", "")):
        stamp = PngInfo()
        if told:
            stamp.add_text(TOOLTIPS, told, zip=True)
        Image.new("RGB", (40, 30)).save(tmp_path / f"{name}.png", pnginfo=stamp)
    found = tooltips([tmp_path / "regime_map.png", tmp_path / "laws.png"])
    assert list(found) == ["regime_map"]
    own = found["regime_map"]
    assert (own.width, own.height) == (40, 30)
    assert json.loads(zlib.decompress(base64.b64decode(own.marks))) == MARKS
