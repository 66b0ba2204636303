"""Curves hide no row: each is a point, a mark at an edge, or a cross in the strip on top."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from gradaudit.figures.axes import MARGIN, ErrorRange, VerdictBounds
from gradaudit.figures.curves import Curve, curves_of, draw_rows, marks, setting_handles

LIMITS = ErrorRange(bottom=1e-8, top=1.0, edge=10.0)
CURVE = Curve(colour="black", marker="o", dashes="-")


@pytest.fixture
def drawn():
    """Lines by marker, as x and y, of rows with these errors from tight to loose."""
    _, ax = plt.subplots()
    ax.set_xscale("log")
    ax.set_xlim(1e-7, 1e-1)

    def draw(errors, statuses=None, curve=CURVE, x=None):
        rtol = 10.0 ** -np.arange(6.0, 6.0 - len(errors), -1.0)
        rows = pd.DataFrame(
            {"rtol": rtol, "error": errors, "status": statuses or ["ok"] * len(errors)}
        )
        rows["time"] = rows["rtol"] if x is None else x
        draw_rows(ax, rows, curve, LIMITS, x="time")
        return {line.get_marker(): line.get_xydata() for line in ax.lines}

    yield draw
    plt.close("all")


def test_a_curve_goes_from_loose_to_tight(drawn):
    lines = drawn([1e-5, 1e-4, 1e-3])
    assert set(lines) == {"o"}
    np.testing.assert_allclose(lines["o"], [[1e-4, 1e-3], [1e-5, 1e-4], [1e-6, 1e-5]], rtol=1e-12)


def test_values_off_the_scale_are_triangles_at_its_ends(drawn):
    lines = drawn([1e-12, 1e-3, 1e3])
    assert set(lines) == {"o", "^", "v"}
    off = (LIMITS.top / LIMITS.bottom) ** MARGIN
    np.testing.assert_allclose(lines["^"], [[1e-4, LIMITS.top / off]], rtol=1e-12)
    np.testing.assert_allclose(lines["v"], [[1e-6, LIMITS.bottom * off]], rtol=1e-12)


def test_failed_solves_and_values_that_are_not_finite_are_crosses(drawn):
    lines = drawn([1e-3, np.inf, 1e3], ["ok", "ok", "max_steps"])
    np.testing.assert_allclose(lines["x"][:, 0], [1e-4, 1e-5], rtol=1e-12)
    assert "^" not in lines
    assert np.isnan(lines["o"][:2, 1]).all()


def test_a_failed_solve_without_a_time_is_at_the_right_edge(drawn):
    lines = drawn([np.nan, 1e-3], ["max_steps", "ok"], x=[np.nan, 1e-2])
    np.testing.assert_allclose(lines["x"][:, 0], [1e-1])


def test_crosses_of_many_curves_are_at_different_heights(drawn):
    heights = [
        drawn([np.nan], ["failed"], curve=Curve(colour="k", marker="o", dashes="-", slot=k))["x"][
            0, 1
        ]
        for k in range(9)
    ]
    assert len(set(heights)) == 9
    assert all(0.87 < height < 1.0 for height in heights)


def test_colour_is_the_method_and_marker_the_solver():
    table = pd.DataFrame({"solver": ["tsit5", "dopri8"], "method": ["forward_ad", "dual_norm"]})
    curves = curves_of(table, "colorblind")
    assert len(curves) == 4
    assert len({curve.slot for curve in curves.values()}) == 4
    assert curves["tsit5", "forward_ad"].colour == curves["dopri8", "forward_ad"].colour
    assert curves["tsit5", "forward_ad"].marker == curves["tsit5", "dual_norm"].marker
    assert curves["tsit5", "forward_ad"].colour != curves["tsit5", "dual_norm"].colour
    handles = setting_handles(curves)
    assert [line.get_label() for line in handles["solver"]] == ["dopri8", "tsit5"]
    assert len(handles["method"]) == 2


def test_methods_that_coincide_are_all_seen():
    table = pd.DataFrame({"solver": "tsit5", "method": ["forward_ad", "dual_norm", "saltation"]})
    curves = list(curves_of(table, "colorblind").values())
    for outer, inner in pairwise(curves):  # in the order in which they are drawn
        assert inner.width <= 0.7 * outer.width
        assert inner.size <= 0.7 * outer.size


def test_errors_of_0_have_a_place_of_their_own_above_the_frame():
    bounds = VerdictBounds(good=1e-2, horrible=0.5)
    errors = np.array([1e-12, 1e-3])
    limits = ErrorRange.of(np.append(errors, 0.0), bounds, failed=False)
    zero = limits.inside(np.zeros(1))[0]
    assert 10.0 * limits.bottom ** (1.0 - MARGIN) > zero > limits.bottom
    assert zero < 1e-12
    np.testing.assert_array_equal(limits.inside(errors), errors)
    assert limits.bottom < ErrorRange.of(errors, bounds, failed=False).bottom


@pytest.mark.parametrize(
    ("failed", "beyond", "markers"),
    [(False, False, []), (True, False, ["x"]), (False, True, ["^"]), (True, True, ["x", "^"])],
)
def test_the_legend_explains_the_marks_that_are_in_use(failed, beyond, markers):
    assert [line.get_marker() for line in marks(failed=failed, beyond=beyond)] == markers
