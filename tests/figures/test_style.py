"""Colours, markers and numbers that all figures share."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from gradaudit.figures import style


def test_the_style_ends_with_its_block():
    before = plt.rcParams["axes.grid"], plt.rcParams["font.size"], plt.rcParams["figure.dpi"]
    with style.styled({"dpi": 77}):
        assert (plt.rcParams["font.size"], plt.rcParams["figure.dpi"]) == (9.5, 77.0)
    assert before == (
        plt.rcParams["axes.grid"],
        plt.rcParams["font.size"],
        plt.rcParams["figure.dpi"],
    )


def test_a_method_has_one_colour_whichever_others_are_drawn():
    alone = style.method_colours(["dual_norm"], "colorblind")
    among = style.method_colours(["forward_ad", "dual_norm", "forward_sensitivity"], "colorblind")
    assert alone["dual_norm"] == among["dual_norm"]
    assert len(set(among.values())) == 3


def test_a_method_that_is_not_known_has_a_colour_of_its_own_after_the_known_ones():
    colours = style.method_colours(["mine", "forward_ad"], "colorblind")
    assert list(colours) == ["forward_ad", "mine"]
    assert colours["mine"] != colours["forward_ad"]


def test_solvers_differ_in_marker_and_dashes_in_alphabetical_order():
    styles = style.solver_styles(["tsit5", "dopri8", "tsit5"])
    assert styles == {"dopri8": ("o", "-"), "tsit5": ("s", (0, (4, 1.5)))}
    many = style.solver_styles([f"s{k:02}" for k in range(8)])
    assert len(set(many.values())) == 8


def test_what_is_no_number_is_nan():
    found = style.as_numbers(["1.5", None, "x", 2, np.inf])
    np.testing.assert_array_equal(found, [1.5, np.nan, np.nan, 2.0, np.inf])
    assert found.dtype == float


def test_failed_rows_are_those_without_the_status_ok():
    table = pd.DataFrame({"status": ["ok", "max_steps", None]})
    np.testing.assert_array_equal(style.failed_rows(table), [False, True, True])


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-3, "1e-3"), (1.75e6, "1.75e6"), (0.1234, "1.23e-1"), (0.0, "0e0"), (9.999e5, "1e6")],
)
def test_powers_as_in_tables(value, text):
    assert style.power(value) == text


def test_functionals_are_in_the_order_of_their_kinds():
    table = pd.DataFrame(
        {
            "functional": ["time_average_V", "terminal_V"] * 2,
            "kind": ["time_average", "terminal"] * 2,
        }
    )
    assert list(style.functionals_of(table)) == ["terminal_V", "time_average_V"]


def test_a_figure_shows_the_main_functionals_and_the_worst_of_the_others():
    rows = [
        {"functional": name, "kind": kind, "error": error}
        for name, kind, error in (
            ("maximum_V", "maximum", 1e-3),
            ("terminal_V", "terminal", 1e-9),
            ("terminal_n", "terminal", 1e-1),
            ("spectrum_V", "spectrum", 1e-1),
            ("time_average_V", "time_average", np.nan),
        )
    ]
    shown, text = style.chosen_functionals(pd.DataFrame(rows), 3)
    assert {"terminal_V", "time_average_V"} < set(shown)  # one of each main kind
    assert "maximum_V" not in shown
    assert text == "3 of 5 functionals are drawn."
    everything, nothing = style.chosen_functionals(pd.DataFrame(rows), 5)
    assert (len(everything), nothing) == (5, "")
