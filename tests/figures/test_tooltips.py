"""What marks say to who points at them lies where the marks are drawn."""

from __future__ import annotations

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from gradaudit.figures.tooltips import short, tell, tooltips
from gradaudit.records.figure import TOOLTIPS
from gradaudit.stages.figures import _save


def drawn():
    figure = plt.figure(figsize=(4.0, 2.0), dpi=100)
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set_xlim(0, 4)
    ax.set_ylim(2, 0)  # rows downwards, as in the map of regimes
    return figure, ax


def test_places_are_pixels_from_the_upper_left():
    figure, ax = drawn()
    tell(ax, 1, 0, "a cell", width=1, height=1)
    tell(ax, 3.0, 1.5, "a point")
    tell(ax, 0.5, 1.0, "at the top", transform=ax.get_xaxis_transform())
    tell(ax, np.nan, 1.0, "nowhere")
    FigureCanvasAgg(figure).draw()
    assert json.loads(tooltips(figure)) == [
        [100, 0, 100, 100, "a cell"],
        [300, 150, 0, 0, "a point"],
        [50, 0, 0, 0, "at the top"],
    ]
    plt.close(figure)


@pytest.mark.parametrize("dpi", [50, 150])
def test_they_lie_in_the_file_for_its_own_resolution(tmp_path, dpi):
    figure, ax = drawn()
    ax.set_axis_off()
    ax.fill([1, 2, 2, 1], [0, 0, 1, 1], color="red", lw=0)
    tell(ax, 1, 0, "the red one", width=1, height=1)
    _save(figure, tmp_path / "own.png", {"palette": "colorblind", "dpi": dpi}, "")
    with Image.open(tmp_path / "own.png") as image:
        ((left, top, width, height, text),) = json.loads(image.info[TOOLTIPS])
        inside = np.asarray(image)[top + 2 : top + height - 2, left + 2 : left + width - 2]
        assert image.size == (4 * dpi, 2 * dpi)
    assert text == "the red one"
    assert (inside == [255, 0, 0]).all()


def test_a_figure_without_any_has_none(tmp_path):
    figure, _ = drawn()
    _save(figure, tmp_path / "none.png", {"palette": "colorblind", "dpi": 50}, "")
    with Image.open(tmp_path / "none.png") as image:
        assert TOOLTIPS not in image.info


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.24e-4, "3.2e-4"), (1e-3, "1e-3"), (0.014, "0.014"), (0.0, "0"), (250.0, "250"),
        (1.7e34, "1.7e34"), (float("nan"), "not finite"),
    ],
)  # fmt: skip
def test_numbers_have_two_digits(value, text):
    assert short(value) == text
