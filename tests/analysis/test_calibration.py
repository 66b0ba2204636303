"""Scores and skill on made-up audits, where it is known what they must find."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from gradaudit.analysis.calibration.fitting import fit, least_deviations, quantile, usable
from gradaudit.analysis.calibration.kinds import by_kind
from gradaudit.analysis.calibration.score import FEATURES, from_dict, scores
from gradaudit.analysis.calibration.skill import (
    area,
    calibration,
    correlation,
    fooled,
    held_out,
    ranks,
    roc,
    skill,
)
from gradaudit.analysis.calibration.stepping import LIMITS, limit_of, limits
from gradaudit.stages.trust import fitted

BOUND = 1e-2
STANDING = (0.2, 0.02)
"""Growth of the steps per decade of the tolerance: they follow it, and they do not."""


def audits(*, blind=(), mechanisms=8, size=60, seed=0):
    """Errors are the propagated estimate to a power; mechanisms in `blind` hide theirs."""
    generator = np.random.default_rng(seed)
    rows = []
    for number in range(mechanisms):
        name = f"mechanism {number}"
        said = generator.uniform(-9, 1, size)
        error = 10.0 ** (1.2 * said - 0.5 + 0.3 * generator.standard_normal(size))
        if name in blind:
            error = np.full(size, 0.3)
        for k in range(size):
            rows.append(
                {
                    "model": f"model {number}", "mechanism": name, "solver": "tsit5",
                    "base_solver": "tsit5", "steps": 20 * 10 ** (STANDING[number % 2] * (k % 8)),
                    "method": "forward_ad", "rtol": 10.0 ** -(3 + k % 8),
                    "functional": f"terminal_{k // 8}", "kind": "terminal", "status": "ok",
                    "error": error[k], "relative_error": error[k], "reference_norm": 1.0,
                    "natural_scale": 1.0, "piecewise_constant": False,
                    "converging": name not in blind, "verdict": "good", "seconds": 1.0,
                    "estimate_seconds": 2.0, "control_seconds": 2.5, "tolerance_seconds": 1.5,
                    "estimated_error": 10.0 ** said[k], "probed_error": 10.0 ** said[k],
                    "embedded": 10.0 ** generator.uniform(-9, 1),
                    "control_difference": 10.0 ** said[k],
                    "tolerance_difference": 10.0 ** said[k], "neglected": 0.0,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def test_a_score_recovers_the_law_behind_the_errors():
    score = fit(usable(audits()), "propagated", BOUND)
    assert score.weights[0] == pytest.approx(1.2, abs=0.05)
    assert score.intercept == pytest.approx(-0.5, abs=0.3)
    assert score.low < 0 < score.high


def test_no_weight_is_negative():
    generator = np.random.default_rng(1)
    x = generator.standard_normal((200, 2))
    _, weights = least_deviations(x, x[:, 0] - 0.5 * x[:, 1], np.full(200, 1 / 200))
    assert weights[1] == 0.0
    assert weights[0] == pytest.approx(1.0, abs=0.2)


def test_the_interval_holds_about_as_often_as_it_says():
    """90 % by construction; with 8 mechanisms of 60 rows chance alone moves it by some per cent."""
    table = calibration(held_out(audits(), BOUND))
    overall = table[(table["mechanism"] == "all") & (table["score"] == "propagated")]
    assert 0.82 < overall["inside"].item() <= 1.0
    assert np.all(table["inside"] + table["above"] <= 1.0 + 1e-12)


@pytest.mark.slow
def test_skill_is_judged_on_mechanisms_left_out():
    """What fools a score is missed even though, had it been seen, the threshold would allow it."""
    rows = audits(blind=("mechanism 3",))
    said = held_out(rows, BOUND)
    table = skill(rows, said, BOUND).set_index("indicator")
    assert (
        table.loc["estimated_error", "auc"]
        < skill(audits(), held_out(audits(), BOUND), BOUND)
        .set_index("indicator")
        .loc["estimated_error", "auc"]
    )
    assert table.loc["propagated", "missed_nonconverging"] > 0
    lost = fooled(said, BOUND)
    assert set(lost["mechanism"]) >= {"mechanism 3"}
    assert table.loc["estimated_error", "cost"] == 2.0
    low, high = table.loc["propagated", ["auc_low", "auc_high"]]
    assert low <= table.loc["propagated", "auc"] <= high


def test_kinds_are_told_by_the_steps_and_have_the_skill_of_their_rows():
    rows = audits(blind=("mechanism 3",))
    table = by_kind(rows, held_out(rows, BOUND), BOUND)
    table = table[table["score"] == "propagated"].set_index("kind")
    assert table.loc["all", "rows"] == len(rows) == 480
    follow, standing = "explicit, steps follow the tolerance", "explicit, steps do not"
    assert table.loc[follow, "rows"] == table.loc[standing, "rows"] == 240
    assert table.loc["implicit", "rows"] == 0
    assert table.loc[follow, "missed_nonconverging"] == 0
    assert table.loc[standing, "missed_nonconverging"] > 10  # mechanism 3 is one of them
    assert table.loc[follow, "auc"] > 0.95 > table.loc[standing, "auc"]
    assert 0.5 < table.loc[follow, "ratio"] < 2.0
    assert 0.8 < table.loc[follow, "inside"] <= 1.0


def test_what_is_neglected_counts_where_nothing_is_carried_along():
    score = fit(usable(audits()), "propagated", BOUND)
    assert score.predict({"estimated_error": 1e-12, "neglected": 1.0}) < -9
    missing = {"estimated_error": np.nan}
    assert np.isnan(score.predict(missing | {"neglected": 0.0}))
    assert score.predict(missing | {"neglected": 0.5}) == pytest.approx(np.log10(0.5))


def test_scores_work_on_traced_numbers():
    import jax
    import jax.numpy as jnp

    score = scores()["propagated"]
    given = {"estimated_error": 1e-4, "embedded": 1e-5, "neglected": 0.0}
    traced = jax.jit(lambda values: score.predict(values, jnp))(given)
    assert float(traced) == pytest.approx(float(score.predict(given)), rel=1e-5)


def test_areas_and_ranks_of_known_cases():
    order, bad = np.array([0, 1, 2, 3]), np.array([False, False, True, True])
    assert area(ranks(order), bad) == 1.0
    assert area(ranks(3 - order), bad) == 0.0
    assert area(ranks(np.zeros(4, int)), bad) == 0.5
    assert np.isnan(area(ranks(order), np.zeros(4, bool)))
    assert correlation(ranks(order), ranks(order**3)) == pytest.approx(1.0)
    tied = np.array([2, 0, 2, 1, 4, 2])
    np.testing.assert_array_equal(ranks(tied), rankdata(tied))
    said = order + 1.0
    false, hits = roc(said, bad)
    assert (false[0], hits[0], false[-1], hits[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert quantile(said, np.ones(4) / 4, 0.5) == 2.0


def test_gradients_that_are_zero_or_failed_are_no_evidence():
    rows = audits(mechanisms=3, size=4)
    rows.loc[0, "status"] = "max_steps"
    rows.loc[1, "relative_error"] = np.inf
    rows.loc[2, "piecewise_constant"] = True
    rows.loc[3, "method"] = "dual_norm"
    assert len(usable(rows)) == len(rows) - 4


def test_an_empty_atlas_has_empty_tables():
    rows = audits(mechanisms=3, size=4).iloc[:0]
    said = held_out(rows, BOUND)
    assert said.empty
    assert calibration(said).empty
    assert fooled(said, BOUND).empty
    assert fitted(rows, BOUND)["scores"] == []
    assert len(skill(rows, said, BOUND)) > 0
    assert by_kind(rows, said, BOUND).empty


def test_scores_survive_json():
    score = fit(usable(audits(mechanisms=3)), "probed", BOUND)
    assert from_dict(json.loads(json.dumps(score.as_dict()))) == score


def test_what_limits_the_steps_is_told_by_the_solve_itself():
    rows = pd.DataFrame(
        {
            "base_solver": ["tsit5", "tsit5", "kvaerno5", "kvaerno5", "tsit5"],
            "neglected": [0.0, 0.0, 0.0, 0.1, 0.0],
            "kind": ["terminal"] * 4 + ["event_time"],
            "fast_times": [10.0, 400.0, 400.0, 10.0, 400.0],
            "accepted": [100.0] * 5,
        }
    )
    names = ["tolerance", "stability", "implicit", "neglected", "events"]
    assert [LIMITS[k] for k in limits(rows)] == names
    unknown = rows[["base_solver"]].iloc[:2]
    assert [LIMITS[k] for k in limits(unknown)] == ["tolerance", "tolerance"]
    assert LIMITS[int(limit_of(False, False, False, np.nan))] == "tolerance"


@pytest.mark.slow
def test_each_kind_of_solve_has_an_interval_of_its_own():
    """Errors of the implicit solves scatter ten times as much, and so does their interval."""
    generator = np.random.default_rng(2)
    rows = audits(mechanisms=10)
    wide = np.arange(len(rows)) % 2 == 0
    spread = np.where(wide, 0.3, 0.03) * generator.standard_normal(len(rows))
    error = rows["estimated_error"].clip(1e-8, 1e-1) * 10.0**spread
    rows = rows.assign(
        base_solver=np.where(wide, "kvaerno5", "tsit5"), fast_times=0.0, accepted=10.0,
        estimated_error=rows["estimated_error"].clip(1e-8, 1e-1), error=error,
        relative_error=error,
    )  # fmt: skip
    score = fit(usable(rows), "propagated", BOUND)
    assert set(score.intervals) == {"tolerance", "implicit", "tolerance, large", "implicit, large"}
    for line in (-4.0, -1.0):
        wide_low, wide_high = score.interval(line, LIMITS.index("implicit"))
        low, high = score.interval(line, LIMITS.index("tolerance"))
        assert wide_high - wide_low > 5.0 * (high - low)
    assert score.interval(0.0, LIMITS.index("events")) == (score.low, score.high)
    said = held_out(rows, BOUND)
    said = said[said["score"] == "propagated"]
    inside = said["true"].between(said["low"], said["high"])
    # 300 draws: two standard deviations of chance are 3.5 %
    for own in (wide, ~wide):
        assert 0.85 < inside.to_numpy()[own].mean() < 0.95


def test_a_threshold_below_the_bound_misses_less_at_the_price_of_false_alarms():
    rows = usable(audits())
    cautious, bold = (fit(rows, "propagated", BOUND, false_alarms=x) for x in (0.05, 0.0))
    assert cautious.threshold < bold.threshold
    line = cautious.predict({"estimated_error": rows["estimated_error"].to_numpy()})
    good = (rows["error"] <= BOUND).to_numpy()
    assert 0.04 < np.mean(line[good] >= cautious.threshold) < 0.06


def test_the_package_has_a_score_of_every_kind():
    assert set(scores()) == set(FEATURES)
