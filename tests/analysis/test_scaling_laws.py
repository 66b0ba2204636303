"""Known exponents are found again, and no number is given where there is no law."""

import numpy as np
import pandas as pd
import pytest

from gradaudit.analysis.audit_rows import axes_of, prepared, working
from gradaudit.analysis.grouped_slope import median_interval, slope
from gradaudit.analysis.regimes import regimes
from gradaudit.analysis.scaling_laws import COLUMNS, laws
from gradaudit.report import law_sentences
from gradaudit.solvers.registry import SOLVERS


def one(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


NO_REGIMES = regimes(pd.DataFrame())
ALL = {"mechanism": "all", "stepping": "all", "method": "forward_ad"}


@pytest.mark.parametrize("power", [0.5, 1.0, 1.4])
@pytest.mark.parametrize("ladders", [1, 8])
def test_the_exponent_is_inside_its_interval(audits, power, ladders):
    table = laws(audits(*[{}] * ladders, power=power, factor=1.0))
    for law in ("state_error", "tolerance"):
        row = one(table, law=law, **ALL)
        assert row["low"] <= power <= row["high"]
        assert row["exponent"] == pytest.approx(power, abs=0.05)
        assert ("tolerance series" if ladders >= 5 else "points") in row["interval"]


def test_the_constants_of_ladders_do_not_disturb_the_slope():
    x = np.concatenate([[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]])
    y = np.concatenate([[0.0, 1.0, 2.0], [-9.0, -8.0, -7.0]])
    assert slope(x, y, np.repeat([0, 1], 3)).value == pytest.approx(1.0)
    assert np.isnan(slope(np.ones(3), np.arange(3.0), np.zeros(3)).value)


def test_rounding_and_useless_gradients_are_left_out(audits):
    floor = {"error": lambda rtol, state, error: 1e-14 if rtol < 1e-6 else error}
    huge = {"error": lambda rtol, state, error: 1e9 if rtol > 1e-5 else error}
    row = one(laws(audits(*[floor, huge] * 4)), law="state_error", **ALL)
    assert row["exponent"] == pytest.approx(1.0, abs=0.05)
    assert row["points"] == 4 * (4 + 5)


def test_why_there_is_no_law_is_said(audits):
    exact = {"mechanism": "rest", "model": "a", "state_error": 1e-16, "error": 0.4,
             "converging": False}  # fmt: skip
    stuck = {"mechanism": "jumps", "model": "b", "error": 0.9, "converging": False}
    small = {"mechanism": "control", "model": "c", "error": 1e-16}
    table = laws(audits(exact, stuck, small))
    found = table[(table["law"] == "state_error") & (table["stepping"] == "all")]
    status = dict(zip(found["mechanism"], found["status"], strict=True))
    assert status["rest"] == "state_exact"
    assert status["jumps"] == "not_converging"
    assert status["control"] == "rounding"
    assert not np.isfinite(found["exponent"]).any()
    text = " ".join(law_sentences.answer(table, NO_REGIMES))
    assert "integrated exactly (rest)" in text
    assert "No such law exists either where forward AD does not converge" in text


def along(audits, base, axis, mechanism, law, values):
    ladders = [
        {
            "model": f"{base}@{axis}={value:g}",
            "mechanism": mechanism,
            "functional": f"terminal_{k}",
            "error": lambda rtol, state, error, value=value: error * 1e-3 * law(value),
        }
        for value in values
        for k in range(3)
    ]
    table = laws(audits(*ladders, spread=0.0))
    return table[table["model"] == base]


def test_the_law_along_an_axis_is_found(audits):
    table = along(audits, "snic", "eps", "near a bifurcation", lambda e: e**-1.5, (1.0, 0.1, 1e-2))
    row = one(table, law="distance")
    assert row["form"] == "power"
    assert row["low"] <= -1.5 <= row["high"]
    stiff = along(audits, "pr", "stiffness", "stiff", lambda v: v**0.5, (10.0, 1e2, 1e3, 1e4))
    assert one(stiff, law="stiffness")["exponent"] == pytest.approx(0.5, abs=0.03)
    assert "of snic falls like eps to the power -1.49" in law_sentences.along(table, "distance")
    assert "of pr grows like stiffness to the power 0.5" in law_sentences.along(stiff, "stiffness")
    flat = stiff.assign(exponent=-0.06, low=-0.13, high=0.01)
    assert "of pr does not measurably change" in law_sentences.along(flat, "stiffness")


def test_chaos_is_exponential_in_the_window(audits):
    table = along(audits, "lorenz", "t_end", "chaos", lambda t: np.exp(0.9 * t), (1.0, 3.0, 5.0))
    row = one(table, law="window")
    assert row["form"] == "exponential"
    assert row["exponent"] == pytest.approx(0.9, abs=0.03)
    assert "exp(r t_end), r = 0.89" in law_sentences.along(table, "window")
    cycle = along(audits, "lc", "t_end", "phase drift", lambda t: t, (1.0, 10.0, 100.0))
    assert one(cycle, law="window")["form"] == "power"


def test_too_few_settings_give_no_number_but_a_sentence(audits):
    table = along(audits, "snic", "eps", "near a bifurcation", lambda e: e**-1.5, (1.0, 0.1))
    assert one(table, law="distance")["status"] == "too_few_settings"
    text = law_sentences.along(table, "distance")
    assert "not measured by this configuration" in text
    assert "snic" in text
    assert "varies stiffness" in law_sentences.along(table, "stiffness")


def test_sentences_change_with_the_data(audits):
    def told(**law):
        table = audits(*[{}] * 8, **law)
        return " ".join(law_sentences.answer(laws(table), regimes(table)))

    steep, flat = told(power=1.4, factor=1.0), told(power=0.6, factor=1e-3)
    assert "states to the power 1.4" in steep
    assert "states to the power 0.6" in flat or "states to the power 0.5" in flat


def test_no_audits_give_a_sentence(audits):
    empty = laws(audits().iloc[:0])
    assert list(empty.columns) == COLUMNS
    assert law_sentences.answer(empty, NO_REGIMES) == ["No law can be fitted: nothing was audited."]
    assert law_sentences.ladder_rule(laws(audits(*[{}] * 6)), 1e-2).startswith(
        "By the median law, forward AD reaches an error of 0.01 at rtol"
    )


def test_keys_are_parsed():
    assert axes_of("lorenz@t_end=15") == ("lorenz", {"t_end": 15.0})
    assert axes_of("a@b=1e-3,c=2") == ("a", {"b": 1e-3, "c": 2.0})
    assert axes_of("logistic") == ("logistic", {})


def test_variants_of_solvers_are_known_by_key_or_by_column(audits):
    table = prepared(audits({"solver": "tsit5_clip"}, {"solver": "kvaerno5"}))
    assert set(table["base_solver"]) == {"tsit5", "kvaerno5"}
    assert set(table["variant"]) == {"", "observe=clip"}
    told = audits({"base_solver": "dopri8", "variant": "observe=clip", "solver": "mine"})
    assert set(prepared(told)["base_solver"]) == {"dopri8"}
    assert set(prepared(told)["variant"]) == {"observe=clip"}
    assert set(table.loc[table["base_solver"] == "kvaerno5", "stepping"]) == {"implicit"}


def test_the_working_tolerance_is_the_nearest(audits):
    table = audits({})
    assert working(table)["rtol"].tolist() == [1e-6]
    assert working(table[table["rtol"] > 1e-5])["rtol"].tolist() == [1e-4]
    assert working(table.iloc[:0]).empty


def test_implicit_solvers_are_those_of_the_package(audits):
    for name, solver in SOLVERS.items():
        stepping = prepared(audits({"solver": name}))["stepping"].unique().tolist()
        assert stepping == ["implicit" if solver.implicit else "explicit"]


def test_one_group_has_no_interval():
    assert np.isnan(median_interval(np.array([1.0, 2.0, 3.0]), np.zeros(3))[1])
    middle, low, high = median_interval(np.arange(30.0), np.repeat(np.arange(10), 3))
    assert low < middle < high
