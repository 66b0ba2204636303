"""One panel per functional: what is drawn by others, and which legends there are."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from gradaudit.figures.error_panels import Panel, error_panels

SETTINGS = {"palette": "colorblind", "dpi": 50}


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def drawn(table, **more):
    panels: list[Panel] = []

    def behind(panel):
        panel.ax.set_xscale("log")
        panels.append(panel)

    figure = error_panels(
        table,
        settings=SETTINGS,
        x="rtol",
        x_name="tolerance",
        head=("Title", "Subtitle"),
        behind=behind,
        **more,
    )
    return figure, panels


def legends(figure):
    return [legend.get_texts()[0].get_text() for legend in figure.legends][::-1]


def test_every_functional_has_a_panel_with_its_rows_and_a_curve_per_setting(made_up_audits):
    table = made_up_audits()
    figure, panels = drawn(table)
    assert [panel.is_first for panel in panels] == [True, False, False]
    assert [len(panel.rows) for panel in panels] == [2 * 3 * 4] * 3
    assert [set(panel.rows["functional"]) for panel in panels] == [
        {"terminal_V"},
        {"trace_sse_exact"},
        {"time_average_V"},
    ]
    assert all(len(panel.ax.lines) == 2 * 3 for panel in panels)
    assert {"Title", "Subtitle", "tolerance"} <= {text.get_text() for text in figure.texts}


def test_all_panels_share_one_range_of_errors(made_up_audits):
    _, panels = drawn(made_up_audits(errors={("made_up", "dual_norm"): 1e-12}))
    assert len({panel.limits for panel in panels}) == 1
    assert panels[0].limits.bottom < 1e-12


def test_marks_have_a_legend_where_they_are_in_use(made_up_audits):
    whole, _ = drawn(made_up_audits())
    broken, _ = drawn(made_up_audits(failed=[("tsit5", 1e-3)]))
    beyond, _ = drawn(made_up_audits(errors={("made_up", "dual_norm"): 1e9}))
    assert legends(whole) == ["method", "solver"]
    assert legends(broken) == legends(beyond) == ["method", "solver", "marks"]


def test_an_error_of_a_failed_solve_is_not_off_the_scale(made_up_audits):
    table = made_up_audits(failed=[("tsit5", 1e-3)])
    table.loc[table["status"] != "ok", "error"] = np.inf
    figure, _ = drawn(table)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["marks", "failed or not finite"]


def test_what_is_drawn_on_top_comes_after_the_curves(made_up_audits):
    counts = []
    handle = plt.Line2D([], [], label="limit")
    figure, _ = drawn(
        made_up_audits(), on_top=lambda panel: counts.append(len(panel.ax.lines)), handles=[handle]
    )
    assert counts == [6, 6, 6]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["marks", "limit"]


def test_a_functional_without_a_derivative_has_no_bands_but_the_reason(made_up_audits):
    table = made_up_audits().assign(piecewise_constant=False)
    count = table["functional"] == "time_average_V"
    table.loc[count, ["piecewise_constant", "error", "verdict"]] = [True, 0.0, "horrible"]
    _, panels = drawn(table)
    bands = [len(panel.ax.patches) for panel in panels]
    assert bands == [3, 3, 0]
    said = " ".join(text.get_text() for text in panels[2].ax.texts)
    assert "A count has no derivative to compare:\nthe verdict is horrible" in said
    assert not any("derivative" in text.get_text() for text in panels[0].ax.texts)
    assert len(panels[2].ax.lines) >= 2 * 3  # the rows are drawn all the same


def test_errors_of_functionals_that_are_not_drawn_set_no_range_and_need_no_legend(made_up_audits):
    names = [f"terminal_{name}" for name in "abcdef"]
    table = made_up_audits(functionals=[*names, "trace_sse_exact"])
    hidden = set(table["functional"]) - {str(panel.rows["functional"].iloc[0])
                                         for panel in drawn(table)[1]}  # fmt: skip
    table.loc[table["functional"].isin(hidden), "error"] = 0.0
    figure, _ = drawn(table)
    assert len(hidden) == 1
    assert legends(figure) == ["method", "solver"]
