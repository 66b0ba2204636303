"""Along a parameter: jumps are found, and the V-curve of difference quotients is what it should be.

The numbers in the bounds were measured, and have a factor of two or more to spare unless said.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import gradaudit
from gradaudit.figures.sweep import slopes_title, v_title
from gradaudit.figures.sweep import sweep as figure
from gradaudit.records.files import read_dataset, read_provenance
from gradaudit.stages import figures
from gradaudit.stages import sweep as stage
from gradaudit.stages.experiments import parameter_scan
from gradaudit.stages.experiments.parameter_scan import Jump, Point, Sweep

SETTINGS = {
    "solver": "tsit5",
    "rtol": 1e-3,
    "atol_factor": 1e-3,
    "max_steps": 100_000,
    "points": 61,
    "span": 0.1,
    "steps": [1e-5, 1e-3],
}
DRAWN = {"palette": "colorblind", "dpi": 50}


def swept(name: str, rtol: float) -> Sweep:
    return Sweep(gradaudit.load_model(name), "tsit5", rtol, 1e-3, 100_000)


# Without a solve.


def staircase(p: float) -> Point:
    """Three jumps, of J and of the number of events; the decisions change at the largest alone."""
    steps = [p > edge for edge in (0.1234567, 0.5, 0.7654321)]
    value = p + 0.1 * steps[0] + 0.5 * steps[1] + 0.1 * steps[2]
    return Point(p, value, 1.0, (sum(steps),), (10 + steps[1], 0))


GRID = [staircase(p) for p in np.linspace(0.0, 1.0, 12)]


def test_jumps_are_located_to_the_width_that_is_asked_for():
    found = parameter_scan.jumps(staircase, GRID, lambda point: point.counts, width=1e-6)
    assert [jump.place for jump in found] == pytest.approx([0.1234567, 0.5, 0.7654321], abs=1e-6)
    assert [(j.below.counts, j.above.counts) for j in found] == [((k,), (k + 1,)) for k in range(3)]
    assert all(0.0 < jump.above.p - jump.below.p <= 1e-6 for jump in found)


def test_the_largest_jump_is_found_to_the_last_digit():
    found = parameter_scan.largest_jump(staircase, GRID)
    assert found is not None
    assert np.nextafter(found.below.p, 1.0) == found.above.p
    assert found.place == pytest.approx(0.5, abs=1e-15)
    assert found.size == pytest.approx(0.5)


def test_a_smooth_function_has_no_jump():
    flat = [Point(p, p, 1.0, (), (10, 0)) for p in (0.0, 0.5, 1.0)]
    assert parameter_scan.largest_jump(staircase, flat) is None
    assert parameter_scan.jumps(staircase, flat, lambda point: point.counts, width=1e-6) == []


def test_roughness_is_what_a_polynomial_leaves():
    p = np.linspace(1.8, 2.2, 101)
    smooth = 1e-2 * np.sin(5.0 * p)
    noise = 1e-3 * (-1.0) ** np.arange(101)
    rough = parameter_scan.roughness(p, p**2 + smooth + noise, p**2)
    assert np.max(np.abs(rough - noise)[10:-10]) < 3e-4  # at the ends it follows the noise
    assert np.all(np.isnan(parameter_scan.roughness(p[:5], p[:5], p[:5])))


def test_a_failed_solve_has_a_wrong_sign():
    exact = np.array([1.0, -1.0, 1.0])
    assert parameter_scan.wrong_signs(np.array([2.0, 1.0, np.nan]), exact) == 2


def test_a_solve_that_took_too_long_is_no_jump():
    late = Point(0.55, np.nan, np.nan, (0,), (0, 0), "time_limit")
    points = sorted([*GRID, late], key=lambda point: point.p)
    found = parameter_scan.jumps(staircase, points, lambda point: point.counts, width=1e-6)
    assert [jump.place for jump in found] == pytest.approx([0.1234567, 0.5, 0.7654321], abs=1e-6)
    largest = parameter_scan.largest_jump(staircase, points)
    assert largest is not None
    assert largest.place == pytest.approx(0.5, abs=1e-15)


# The V-curve.

V_STEPS = 10.0 ** np.append(np.arange(-10.0, 0.0), -0.5)


@cache
def floor(name: str, rtol: float) -> tuple[float, float, float]:
    """Error at the shortest step, at the best and at the longest; mean square over fifteen p."""
    sweep = swept(name, rtol)
    places = sweep.nominal * (1.0 + 0.02 * np.linspace(-1.0, 1.0, 15))
    exact = [sweep.exactly_at(p).gradient for p in places]
    errors = parameter_scan.quotient_errors(sweep, places.tolist(), exact, V_STEPS.tolist())
    return float(errors[0]), float(np.min(errors)), float(errors[-1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rtol"), [("finite_difference_check", 1e-3), ("spike_count", 1e-4)]
)
def test_floor_is_between_two_thirds_and_one_half_where_jumps_are_dense(name, rtol):
    """1.1e-2 and 4.8e-3 are measured; the powers are those of one jump of the tolerance's size."""
    _, best, last = floor(name, rtol)
    assert 0.5 * rtol ** (2 / 3) < best < rtol**0.5
    assert last > 10.0 * best


@pytest.mark.sampled(3)
@pytest.mark.parametrize("rtol", [1e-5, 1e-6, 1e-7])
def test_floor_falls_like_the_tolerance_where_jumps_are_rare(rtol):
    """Most quotients then have no jump between their ends: 2.5e-6, 4.0e-7 and 2.0e-7."""
    _, best, last = floor("finite_difference_check", rtol)
    assert rtol**1.2 < best < rtol ** (2 / 3)
    assert last > 0.1


@pytest.mark.slow
@pytest.mark.sampled(2)
@pytest.mark.parametrize(("name", "rtol"), [("jagged_controller", 1e-3), ("spike_count", 1e-5)])
def test_at_a_jump_the_error_is_the_jump_over_the_step_and_then_the_truncation(name, rtol):
    """The left branch of the V, to one per cent; from 0.03 or so on it rises again."""
    sweep = swept(name, rtol)
    grid = sweep.nominal * (1.0 + 0.1 * np.linspace(-1.0, 1.0, 41))
    jump = parameter_scan.largest_jump(sweep.at, [sweep.at(p) for p in grid])
    assert jump is not None
    slope = sweep.exactly_at(jump.place).gradient
    steps = np.array([1e-8, 1e-7, 1e-6, 10.0**-1.5, 0.1])
    errors = parameter_scan.quotient_errors(sweep, [jump.place], [slope], steps.tolist())
    left = jump.size / (2.0 * steps[:3] * sweep.scale * abs(slope))
    np.testing.assert_allclose(errors[:3], left, rtol=0.01)
    assert np.min(errors) < 1e-3 * errors[0]
    assert errors[4] > 2.0 * np.min(errors)


@pytest.mark.slow
def test_frozen_grid_has_no_step_to_choose():
    """Its error is that of the best step, to a factor of three."""
    sweep = swept("spike_count", 1e-4)
    places = sweep.nominal * (1.0 + 0.02 * np.linspace(-1.0, 1.0, 15))
    pairs = [(sweep.at(p).gradient, sweep.exactly_at(p).gradient) for p in places]
    computed, exact = np.transpose(pairs)
    error = np.sqrt(np.mean((computed - exact) ** 2) / np.mean(exact**2))
    assert error < 3.0 * floor("spike_count", 1e-4)[1]


# The stage and its figure.


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep") / "spike_count.nc"
    stage.run(model="spike_count", settings=SETTINGS, output=path)
    return path


@pytest.mark.slow
def test_quotients_have_wrong_signs_and_the_frozen_grid_has_not(written):
    """Of spikes' voltage at rtol 1e-3: nearly every other one with a step of 1e-5."""
    data = read_dataset(written)
    exact = data["exact_gradient"].values
    wrong = [parameter_scan.wrong_signs(q, exact) for q in data["quotient"].values]
    frozen = parameter_scan.wrong_signs(data["gradient"].values, exact)
    assert wrong[0] > 0.25 * data.sizes["p"]
    assert frozen < 0.05 * data.sizes["p"]


@pytest.mark.slow
def test_exact_curve_is_certified_at_the_nominal_parameter(written):
    """To 1e-6: the curve is a solve at 1e-9."""
    data = read_dataset(written)
    middle = data.sel(p=data.attrs["nominal"], method="nearest")
    assert float(middle["p"]) == pytest.approx(data.attrs["nominal"], rel=1e-14)
    assert data.attrs["reference_status"] == "ok"
    for name in ("value", "gradient"):
        exact = data.attrs[f"reference_{name}"]
        assert float(middle[f"exact_{name}"]) == pytest.approx(exact, rel=1e-6)


@pytest.mark.slow
def test_number_of_spikes_jumps_where_a_spike_is_at_the_end_of_the_window(written):
    """Certified: at the exact jump the sixth spike is at t = 200, to 1e-6 of the parameter."""
    data = read_dataset(written)
    exact = data["jump_curve"].values == "exact"
    assert np.sum(exact) == 1
    place = float(data["jump_p"].values[exact][0])
    assert [int(data[f"jump_{k}"].values[exact][0]) for k in ("before", "after")] == [5, 6]
    source = gradaudit.load_model("spike_count")
    moved = {**source.parameters, "I": (place * (1.0 + 3e-6), "1")}
    model = type(source)(
        name="moved",
        vector_field=source.vector_field,
        states=source.states,
        parameters=moved,
        t_end=source.t_end,
        events=source.events,
    )
    hits = gradaudit.reference(model, digits=6.0).events
    assert len(hits) == 6
    later = model.t_end - float(hits[-1].time)
    assert 0.0 < later < 10e-6 * place * abs(float(hits[-1].slope[0]))
    computed = data["jump_p"].values[~exact]
    assert np.min(np.abs(computed - place)) < 1e-2 * place  # the tolerance's own error


@pytest.mark.slow
def test_number_of_spikes_is_constant_between_jumps(written):
    data = read_dataset(written)
    for curve, name in (("computed", "count"), ("exact", "exact_count")):
        counts = data[name].values[0]
        assert np.sum(np.diff(counts) != 0) == np.sum(data["jump_curve"].values == curve)


@pytest.mark.slow
def test_the_file_says_what_made_it(written):
    found = read_provenance(written)
    assert found["stage"] == "sweep"
    assert json.loads(found["settings"]) == SETTINGS


@pytest.mark.parametrize(
    ("errors", "course"),
    [
        ([9.0, 0.06, 0.5], "Small and large steps fail: least error 0.06"),
        ([0.06, 0.061, 0.06, 0.5, 0.07, 1.1], "Large steps fail: least error 0.06"),
        ([9.0, 0.5, 0.06], "Small steps fail: least error 0.06"),
        ([0.061, 0.06, 0.062], "The step hardly matters: least error 0.06"),
        ([np.nan, np.nan], "No difference quotient is finite"),
    ],
)
def test_the_title_of_the_v_curve_is_what_is_drawn(errors, course):
    steps = 10.0 ** np.arange(-len(errors), 0.0)
    data = xr.Dataset({"v_along": ("v_step", errors)}, {"v_step": steps}).assign(v_frozen=0.1)
    assert course in v_title(data)
    assert v_title(data).endswith("of the frozen grid 0.1") == np.isfinite(errors).any()


def test_the_title_of_the_slopes_has_their_errors():
    exact = np.array([3.0, -4.0])
    data = xr.Dataset(
        {
            "exact_gradient": ("p", exact),
            "gradient": ("p", 1.1 * exact),
            "quotient": (("step", "p"), np.stack([21.0 * exact, exact])),
        }
    )
    assert slopes_title(data) == (
        "The slope's error: 0.1 by the frozen grid, 20 and 0 by difference quotients"
    )


@pytest.mark.slow
def test_figure_tells_the_wrong_signs_and_the_jump(written, tmp_path):
    data = read_dataset(written)
    drawn = figure(data, settings=DRAWN)
    words = [text.get_text() for text in drawn.texts]
    words += [text.get_text() for ax in drawn.axes for text in ax.texts]
    wrong = parameter_scan.wrong_signs(data["quotient"].values[0], data["exact_gradient"].values)
    assert any(f"wrong sign at {wrong} of 61 points" in text for text in words)
    assert any("spike: 5 to 6" in text for text in words)
    plt.close(drawn)
    figures.run("sweep", sweep=written, settings=DRAWN, output_dir=tmp_path)
    [output] = tmp_path.glob("sweep_*.png")
    assert read_provenance(output)["stage"] == "figures"


def test_figure_of_a_model_without_events_shows_the_steps(written):
    data = read_dataset(written).drop_dims(["event", "jump"]).drop_vars("v_at_jump")
    drawn = figure(data.assign_coords(event=np.array([], dtype=str)), settings=DRAWN)
    drawn.canvas.draw()
    assert any("accepted" in text.get_text() for text in drawn.axes[3].texts)
    plt.close(drawn)


@pytest.mark.slow
def test_a_model_that_jumps_is_swept_with_exact_derivatives_at_its_jumps():
    """Bouncing ball, along the acceleration of gravity: the exact gradient is the closed form's."""
    model = gradaudit.load_model("bouncing_ball")
    dataset = stage.measure(model, {**SETTINGS, "rtol": 1e-6, "points": 3, "span": 1e-3})
    exact = gradaudit.reference(model, times=[model.t_end]).sensitivities[0, 0, 0]
    assert dataset["exact_gradient"].values[1] == pytest.approx(exact, rel=1e-6)


def test_everything_may_have_failed(written):
    data = read_dataset(written)
    failed = data.map(lambda x: x * np.nan if x.dtype.kind == "f" else x).assign_attrs(data.attrs)
    drawn = figure(failed, settings=DRAWN)
    drawn.canvas.draw()
    assert any("wrong sign at 61 of 61" in text.get_text() for text in drawn.texts)
    plt.close(drawn)


def test_a_jump_has_a_place_and_a_size():
    jump = Jump(staircase(0.4), staircase(0.6))
    assert jump.place == pytest.approx(0.5)
    assert jump.size == pytest.approx(0.7)


# Limits.


def slow_above(place, monkeypatch):
    """Solves beyond a parameter take too long; the list of what was tried of those."""
    tried = []

    def solve_within(seconds, key, solve):
        if key[1] <= place:
            return solve()
        tried.append((seconds, key))
        return None

    monkeypatch.setattr(parameter_scan, "solve_within", solve_within)
    return tried


@pytest.mark.slow
def test_solves_that_take_too_long_have_that_status_and_no_values(monkeypatch, tmp_path):
    """After three of them a curve is given up; what was solved before stays."""
    model = gradaudit.load_model("logistic")
    nominal = float(model.nominal[0])
    tried = slow_above(nominal, monkeypatch)
    settings = {**SETTINGS, "points": 13, "solve_s": 7.0}
    dataset = stage.measure(model, settings)
    late = dataset["p"].values > nominal
    for curve in ("", "exact_"):
        status = dataset[f"{curve}status"].values
        assert set(status[late]) == {"time_limit"}
        assert np.all(np.isnan(dataset[f"{curve}value"].values[late]))
    assert np.all(dataset["exact_status"].values[~late] == "ok")
    assert np.all(np.isfinite(dataset["exact_value"].values[~late]))
    assert {seconds for seconds, _ in tried} == {7.0}
    assert len(tried) == 2 * parameter_scan.MOST_SLOW
    output = tmp_path / "logistic.nc"
    monkeypatch.setattr(stage, "measure", lambda *_: dataset)
    stage.run(model="logistic", settings=settings, output=output)
    figures.run("sweep", sweep=output, settings=DRAWN, output_dir=tmp_path)
    assert list(tmp_path.glob("sweep_*.png"))


@pytest.mark.slow
def test_the_limit_ends_compiled_code(tmp_path):
    """The command, whose worker is ended and started again: no solve is done in a millisecond."""
    output = tmp_path / "logistic.nc"
    settings = {**SETTINGS, "points": 5, "solve_s": 1e-3}
    command = [sys.executable, "-m", "gradaudit", "sweep", "logistic", "--output", str(output)]
    done = subprocess.run(
        [*command, "--settings", json.dumps(settings)], text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    written = read_dataset(output)
    assert set(written["status"].values) == set(written["exact_status"].values) == {"time_limit"}
