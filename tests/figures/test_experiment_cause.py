"""Why the published gradient is wrong: residual times sensitivity, added up over time."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from gradaudit.figures.experiment_cause import draw_cause, unit_of

MODEL = {"observables": ["V"], "states": {"V": "mV"}, "time_unit": "ms"}


@pytest.fixture
def axes():
    yield plt.subplots(4, 1)[1]
    plt.close("all")


def draw(axes, traces, norm=1e5):
    draw_cause(axes, traces, MODEL, {"dual_norm": "red"}, nominal="tsit5", norm=norm)


def test_the_sum_of_products_is_what_the_title_states(axes, made_up_traces):
    draw(axes, made_up_traces)
    time = made_up_traces["time"].values
    total = np.sum(2.0 * np.abs(np.cos(time)) * 1e4 * time)
    (curve,) = [line for line in axes[3].lines if line.get_color() == "red"]
    assert curve.get_ydata()[-1] == pytest.approx(total, rel=1e-12)
    mantissa, exponent = f"{total:.2e}".split("e")
    assert f"makes {float(mantissa):g}e{int(exponent)}:" in axes[3].get_title()


def test_the_norm_of_the_gradient_is_a_line_where_there_is_one(axes, made_up_traces):
    draw(axes, made_up_traces, norm=2e5)
    assert [text.get_text() for text in axes[3].texts] == ["norm of the gradient 2e5"]
    assert any(list(line.get_ydata()) == [2e5, 2e5] for line in axes[3].lines)
    for ax in axes:
        ax.clear()
    draw(axes, made_up_traces, norm=float("nan"))
    assert list(axes[3].texts) == []


def test_panels_share_the_window_and_the_last_one_names_it(axes, made_up_traces):
    draw(axes, made_up_traces)
    assert {ax.get_xlim() for ax in axes} == {(0.0, 10.0)}
    assert axes[3].get_xlabel() == "time (ms)"
    assert axes[1].get_ylabel() == "residual\n(mV)"
    assert axes[3].get_ylabel() == "running sum\n(mV² per unit)"
    assert unit_of(MODEL) == "mV"


def test_a_sensitivity_that_is_zero_has_no_place_on_the_logarithmic_axis(axes, made_up_traces):
    draw(axes, made_up_traces)
    shown = axes[2].lines[0].get_ydata()
    assert np.isnan(shown[0])  # at time 0
    assert np.isfinite(shown[1:]).all()
    assert axes[2].get_yscale() == "log"


def test_without_the_published_variant_there_is_no_residual_and_no_sum(axes, made_up_traces):
    draw(axes, made_up_traces.sel(variant=["same_grid"]), norm=float("nan"))
    assert np.isnan(axes[1].lines[-1].get_ydata()).all()
    assert axes[3].get_yscale() == "linear"
