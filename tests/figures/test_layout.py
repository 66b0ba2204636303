"""Panels have the size in inches that was asked for, however many there are."""

import matplotlib.pyplot as plt
import pytest

from gradaudit.figures import layout


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def inches(figure, ax):
    width, height = figure.get_size_inches()
    box = ax.get_position()
    return box.width * width, box.height * height


@pytest.mark.parametrize("count", [3, 5, 6])
def test_every_panel_has_the_size_that_was_asked_for(count):
    figure, axes = layout.panels(count, columns=3, size=(3.7, 3.5), legends=1)
    assert len(axes) == len(figure.axes) == count
    for ax in axes:
        assert inches(figure, ax) == pytest.approx((3.7, 3.5))


def test_gaps_between_panels_are_in_inches():
    figure, axes = layout.panels(4, columns=2, size=(4.0, 3.0), gaps=(0.5, 0.25), legends=0)
    width, height = figure.get_size_inches()
    boxes = [ax.get_position() for ax in axes]
    assert (boxes[1].x0 - boxes[0].x1) * width == pytest.approx(0.5)
    assert (boxes[0].y0 - boxes[2].y1) * height == pytest.approx(0.25)
    assert boxes[0].x0 * width == pytest.approx(layout.LEFT)
    assert (1.0 - boxes[1].x1) * width == pytest.approx(layout.RIGHT)


def test_few_panels_are_wide_enough_for_the_title():
    figure, (ax,) = layout.panels(1, columns=3, size=(2.0, 1.0), legends=0)
    assert figure.get_size_inches()[0] == pytest.approx(layout.MIN_WIDTH)
    assert inches(figure, ax)[1] == pytest.approx(layout.MIN_HEIGHT)


def test_a_row_of_legends_makes_the_figure_higher_and_no_panel():
    heights = []
    for legends in (0, 2):
        figure, axes = layout.panels(2, columns=2, size=(4.0, 3.0), legends=legends)
        heights.append(figure.get_size_inches()[1])
        assert inches(figure, axes[0])[1] == pytest.approx(3.0)
    assert heights[1] - heights[0] == pytest.approx(2 * layout.LEGEND_ROW)


def test_the_panel_above_a_gap_has_tick_labels():
    _, axes = layout.panels(3, columns=2, size=(4.0, 3.0), legends=0)
    shown = [ax.xaxis.get_tick_params()["labelbottom"] for ax in axes]
    assert shown == [False, True, True]


def test_names_of_shared_axes_are_in_the_middle_of_the_panels():
    figure, axes = layout.panels(2, columns=2, size=(4.0, 3.0), legends=1)
    layout.axis_names(figure, x="time", y="error", legends=1)
    x, y = figure.texts
    left, right = (ax.get_position() for ax in axes)
    assert (x.get_text(), y.get_text()) == ("time", "error")
    assert x.get_position()[0] == pytest.approx((left.x0 + right.x1) / 2.0)
    assert y.get_position()[1] == pytest.approx((left.y0 + left.y1) / 2.0)
    assert y.get_rotation() == 90.0


def test_legends_begin_with_their_name_and_the_first_is_on_top():
    figure, _ = layout.panels(1, columns=1, size=(4.0, 3.0), legends=2)
    handle = plt.Line2D([], [], label="tsit5")
    layout.legends_below(figure, {"solver": [handle], "method": [handle]})
    names = {
        legend.get_texts()[0].get_text(): legend.get_bbox_to_anchor().y0
        for legend in figure.legends
    }
    assert names["solver"] > names["method"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["method", "tsit5"]


@pytest.mark.parametrize("width", [4.0, 8.4, 14.0])
def test_the_head_fits_into_the_figure(width):
    figure = plt.figure(figsize=(width, 3.0))
    layout.head(figure, "A title of a figure", "a line that says how to read it, " * 5)
    boxes = [text.get_window_extent() for text in figure.texts]
    assert max(box.x1 for box in boxes) <= figure.dpi * width + 1.0
    assert boxes[1].y1 < boxes[0].y0 + 2.0  # points: the lines do not lie on each other
    plt.close(figure)
