"""The stage evaluate on made-up arrays: a limit cycle in closed form, with known errors."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gradaudit.evaluation.audit_table import evaluate
from gradaudit.evaluation.functionals import KINDS
from gradaudit.pipeline.config import Study

AMPLITUDE, FREQUENCY, T_END, COUNT = 1.7, 1.3, 50.0, 101
TIMES = np.linspace(0.0, T_END, COUNT)
TOLERANCES = [1e-3, 1e-4, 1e-5, 1e-6]
CROSSINGS = 10
"""Upward passages of z through 0 after the start."""

MODEL = {
    "key": "cycle",
    "states": {"x": "1", "z": "1"},
    "parameters": {"A": [AMPLITUDE, "1"], "w": [FREQUENCY, "rad/s"]},
    "parameter_scale": [AMPLITUDE, FREQUENCY],
    "observables": ["x"],
    "integrals": ["x"],
    "events": ["top"],
    "mechanism": "made up",
    "regime": "bad",
}
SETTINGS = {
    "functionals": {**Study().functionals.model_dump(), "kinds": list(KINDS)},
    "verdict": Study().verdict.model_dump(),
}


def arrays(frequency=FREQUENCY, amplitude=AMPLITUDE, crossings=CROSSINGS, slots=CROSSINGS + 1):
    """What a solve stores that has the cycle with another frequency and amplitude."""
    a, w, t = amplitude, frequency, TIMES
    c, s = np.cos(w * t), np.sin(w * t)
    when = np.arange(1, crossings + 1) * 2.0 * np.pi / w
    event = np.full(slots, -1)
    event[:crossings] = 0

    def pad(values):
        return np.concatenate(
            [values, np.full((slots - len(values), *values.shape[1:]), np.nan)], axis=0
        )

    values = np.tile([a, 0.0, 0.0], (crossings, 1))
    rates = np.zeros((crossings, 3, 2))
    rates[:, 0, 0] = 1.0
    return {
        "states": (("time", "state"), np.stack([a * c, a * s], 1)),
        "integrals": (("time", "integral"), a * s[:, None] / w),
        "sensitivities": (
            ("time", "state", "parameter"),
            np.stack([np.stack([c, -a * t * s], 1), np.stack([s, a * t * c], 1)], axis=1),
        ),
        "integral_sensitivities": (
            ("time", "integral", "parameter"),
            np.stack([s / w, a * (t * c / w - s / w**2)], 1)[:, None],
        ),
        "event": (("slot",), event),
        "event_time": (("slot",), pad(when)),
        "event_slope": (
            ("slot", "parameter"),
            pad(np.stack([np.zeros_like(when), -when / w], 1)),
        ),
        "event_value": (("slot", "column"), pad(values)),
        "event_value_slope": (("slot", "column", "parameter"), pad(rates)),
    }


def reference() -> xr.Dataset:
    return xr.Dataset(
        arrays(),
        coords={"time": TIMES},
        attrs={"model_json": json.dumps(MODEL), "digits": 13.0, "integral_digits": 13.0},
    )


def gradients(cells, *, attrs=None, **more) -> xr.Dataset:
    """A dataset of stage gradients: `cells` by method, one set of arrays a tolerance."""
    methods = list(cells)
    flat = [cell for method in methods for cell in cells[method]]
    shape = (len(methods), len(TOLERANCES))
    stacked = {}
    for name, (dims, _) in flat[0].items():
        values = np.stack([np.asarray(cell[name][1]) for cell in flat])
        values = values.reshape(*shape, *values.shape[1:])
        if name in ("states", "integrals"):
            values, dims = values[:, :, None], ("chunk", *dims)
        stacked[name] = (("method", "rtol", *dims), values)
    for name in ("indicator", "steps", "accepted", "rejected", "seconds", "compile_seconds"):
        stacked[name] = (("method", "rtol"), np.ones(shape))
    stacked["status"] = (("method", "rtol"), np.full(shape, "ok", dtype=object))
    stacked["chunk_of"] = (("method", "parameter"), np.zeros((len(methods), 2), dtype=int))
    stacked["atol"] = ("rtol", [1e-3 * rtol for rtol in TOLERANCES])
    return xr.Dataset(
        {**stacked, **more},
        coords={"method": methods, "rtol": TOLERANCES, "time": TIMES},
        attrs={"solver": "tsit5", **(attrs or {})},
    )


def converging(**changes) -> list:
    return [arrays(FREQUENCY * (1 + 1e-2 * t), AMPLITUDE * (1 + t), **changes) for t in TOLERANCES]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Full control converges; forward AD does not, has other states, and misses an event at 1e-3"""
    stuck = [arrays(FREQUENCY * (1 + 1e-3 * t), AMPLITUDE) for t in TOLERANCES]
    stuck[0] = arrays(FREQUENCY * (1 + 1e-6), AMPLITUDE, crossings=CROSSINGS - 1)
    for cell in stuck:
        dims, values = cell["sensitivities"]
        cell["sensitivities"] = (dims, 1.05 * values)
        dims, values = cell["event_slope"]
        cell["event_slope"] = (dims, 0.0 * values)
    cells = {"forward_ad": stuck, "forward_sensitivity": converging()}
    return evaluate(reference(), [gradients(cells)], SETTINGS)


def rows(table, functional, method) -> pd.DataFrame:
    return table[(table["functional"] == functional) & (table["method"] == method)]


def test_there_is_one_row_for_every_setting_and_functional(table):
    keys = ["solver", "method", "rtol", "functional"]
    assert not table.duplicated(keys).any()
    assert table.groupby(["method", "rtol"])["functional"].nunique().eq(16).all()


def test_parts_add_up_to_the_error(table):
    assert (table["attribution_residual"].dropna() < 1e-13).all()  # sums of 300 terms
    known = table[np.isfinite(table["error"])]
    together = known["state_part"] + known["tangent_part"] + known["observation_part"]
    assert (together >= known["error"] * (1 - 1e-9) - 1e-15).all()


def test_the_wrong_one_is_named(table):
    assert set(rows(table, "terminal_x", "forward_ad")["dominant"]) == {"tangent"}
    late = rows(table, "event_time_top_1", "forward_ad")
    assert set(late["dominant"]) == {"observation"}
    np.testing.assert_allclose(late["error"], 1.0)  # its derivative is 0
    assert set(late["verdict"]) == {"horrible"}


def test_what_converges_is_good_and_what_does_not_is_horrible(table):
    names = ["terminal_x", "time_average_x", "event_interval_top", "event_value_x_top_10"]
    for name in names:
        assert set(rows(table, name, "forward_sensitivity")["ladder_verdict"]) == {"good"}, name
    stuck = rows(table, "terminal_x", "forward_ad")
    assert set(stuck["reason"]) == {"not_converging"}
    assert set(stuck["verdict"]) == {"horrible"}  # by 5 %, at every tolerance


def test_a_missed_event_is_a_word_and_no_number(table):
    missed = rows(table, "event_time_top_10", "forward_ad").set_index("rtol").loc[1e-3]
    assert missed["event_status"] == "missed_event"
    assert np.isnan(missed["error"])
    assert np.isnan(missed["value"])
    assert missed["verdict"] == "horrible"
    first = rows(table, "event_time_top_1", "forward_ad").set_index("rtol")["event_status"]
    assert first.tolist() == ["another_count", "ok", "ok", "ok"]


def test_a_count_has_no_derivative_and_its_jump_is_told(table):
    count = rows(table, "event_count_top", "forward_ad").set_index("rtol")
    assert count["value"].tolist() == [CROSSINGS - 1, CROSSINGS, CROSSINGS, CROSSINGS]
    assert set(count["reference_value"]) == {CROSSINGS}
    assert count["event_status"].tolist() == ["another_count", "ok", "ok", "ok"]
    assert set(count["error"]) == {0.0}
    assert set(count["reason"]) == {"no_derivative"}
    assert set(count["ladder_verdict"]) == {"horrible"}
    assert not count["converging"].any()


def test_data_of_the_same_solve_hide_wrong_tangents(table):
    """The residual vanishes for forward AD alone, whose states are the data."""
    crime = rows(table, "trace_sse_same", "forward_ad")
    assert set(crime["gradient_norm"]) == {0.0}
    assert set(crime["ladder_verdict"]) == {"good"}
    other = rows(table, "trace_sse_same", "forward_sensitivity")
    assert (other["gradient_norm"] > 0.0).all()
    assert (other["reference_norm"] == 0.0).all()


def test_data_of_a_coarser_solve_are_fixed(table):
    coarse = table[table["functional"] == "trace_sse_coarse"]
    assert coarse["reference_norm"].nunique() == 1
    own = rows(table, "trace_sse_coarse", "forward_ad").set_index("rtol")
    assert own.loc[1e-3, "gradient_norm"] == 0.0
    assert own.loc[1e-3, "error"] == 1.0


def test_values_are_those_of_both_solutions(table):
    end = rows(table, "terminal_x", "forward_sensitivity").set_index("rtol").loc[1e-6]
    exact = AMPLITUDE * np.cos(FREQUENCY * T_END)
    assert end["reference_value"] == pytest.approx(exact, rel=1e-14)
    assert end["value"] == pytest.approx(exact, rel=1e-5)
    assert end["value"] != end["reference_value"]


def test_a_failed_solve_is_a_status_and_never_a_number():
    dataset = gradients({"forward_ad": converging()})
    dataset["status"][0, 3] = "max_steps"
    for name in ("states", "sensitivities", "integrals", "integral_sensitivities"):
        dataset[name][0, 3] = np.nan
    table = evaluate(reference(), [dataset], SETTINGS)
    failed = table[table["status"] == "max_steps"]
    assert len(failed) == 16
    assert failed["error"].isna().all()
    assert failed["value"].isna().all()
    assert set(failed["verdict"]) == {"horrible"}
    assert set(failed["event_status"]) == {"", "no_solve"}
    others = table[table["status"] == "ok"]
    assert np.isfinite(others["error"]).all()


def test_a_method_that_takes_down_no_events_has_no_rows_for_them():
    dataset = gradients({"forward_ad": converging(), "adjoint": converging()})
    dataset["event"][1] = -1
    table = evaluate(reference(), [dataset], SETTINGS)
    by_method = table.groupby("method")["functional"].nunique()
    assert by_method.to_dict() == {"forward_ad": 16, "adjoint": 10}
    said = dataset.assign(events_located=("method", [True, True]))
    table = evaluate(reference(), [said], SETTINGS)
    missed = rows(table, "event_interval_top", "adjoint")
    assert set(missed["event_status"]) == {"missed_event"}


def test_events_beyond_those_that_a_solve_takes_down_are_not_asked_for():
    """The last common occurrence is the fourth; the number is not known."""
    dataset = gradients({"forward_ad": converging(crossings=4)}, attrs={"most_events": 4})
    table = evaluate(reference(), [dataset], SETTINGS)
    assert "event_time_top_4" in set(table["functional"])
    assert "event_time_top_10" not in set(table["functional"])
    count = table[table["functional"] == "event_count_top"]
    assert set(count["event_status"]) == {"too_many_events"}
    assert count["value"].isna().all()


def test_the_error_of_dense_output_is_not_known_apart():
    dataset = gradients(
        {"forward_ad": converging()}, attrs={"settings": '{"observe":"interpolant"}'}
    )
    table = evaluate(reference(), [dataset], SETTINGS)
    unknown = table[table["observation_part"].isna()]
    assert {"trace_sse_noisy", "spectrum_x"} <= set(unknown["functional"])
    assert not {"terminal_x", "time_average_x"} & set(unknown["functional"])
    assert set(unknown["dominant"]) <= {"state", "tangent", "rounding"}


def test_the_floor_knows_the_reference_and_the_arithmetic():
    cells = {"forward_ad": converging()}
    double = evaluate(reference(), [gradients(cells)], SETTINGS)
    single = evaluate(reference(), [gradients(cells, attrs={"dtype": "float32"})], SETTINGS)
    known = reference().assign_attrs(digits=5.0)
    rough = evaluate(known, [gradients(cells)], SETTINGS)

    def floor(table):
        return rows(table, "terminal_x", "forward_ad")["error_floor"].to_numpy()

    np.testing.assert_allclose(floor(double), 1e-11)
    np.testing.assert_allclose(floor(single), 1e-11 * 2.0**29)
    np.testing.assert_allclose(floor(rough), 1e-4, rtol=1e-6)  # ten times 1e-5


def test_models_without_events_need_no_arrays_of_events():
    plain = reference().drop_vars([name for name in reference() if name.startswith("event")])
    plain.attrs["model_json"] = json.dumps({k: v for k, v in MODEL.items() if k != "events"})
    dataset = gradients({"forward_ad": converging()})
    dataset = dataset.drop_vars([name for name in dataset if name.startswith("event")])
    table = evaluate(plain, [dataset], SETTINGS)
    assert set(table["event_status"]) == {""}
    assert table["functional"].nunique() == 10
