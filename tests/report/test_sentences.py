"""If the data change, the sentences change."""

import numpy as np
import pandas as pd
import pytest

from gradaudit.analysis.verdicts import ladders as ladders_of
from gradaudit.report import experiment_sentences, model_sentences, sentences, tables
from gradaudit.report.numbers import (
    count,
    listed,
    number,
    percent,
    rounded_down,
    seconds,
    tolerance,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.0, "1"), (0.0123, "0.0123"), (1.45e6, "1.45e6"), (23456.0, "23\u202f500"),
     (7.7e-4, "7.7e-4"), (9.9999, "10"), (float("nan"), "not finite")],
)  # fmt: skip
def test_numbers_are_short(value, text):
    assert number(value) == text


def test_small_words():
    assert tolerance(1e-3) == "1e-3"
    assert percent(0.352) == "35 %"
    assert percent(22.0) == "22 times"
    assert [count(n, "model") for n in (0, 1, 2)] == ["no models", "1 model", "2 models"]
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([str(n) for n in range(9)], limit=4) == "0, 1, 2 and 6 more"
    assert seconds(float("nan")) == "–"
    assert [seconds(s) for s in (2e-4, 0.05, 3.0, 600.0)] == ["200 µs", "50 ms", "3 s", "10 min"]


def test_what_was_audited_follows_the_table(made_up_audits):
    one = sentences.audited(made_up_audits(solvers=["tsit5"], tolerances=[1e-3]))
    assert "9 gradients from 3 solves of 1 model (made_up), by 1 solver (tsit5)" in one
    assert "at rtol 1e-3" in one
    two = sentences.audited(made_up_audits(models=["a", "b"]))
    assert "144 gradients from 48 solves of 2 models (a and b), by 2 solvers" in two
    assert "4 tolerances from 1e-3 to 1e-9" in two
    assert sentences.audited(made_up_audits().iloc[:0]) == "Nothing was audited."


def test_the_answer_follows_the_verdicts(made_up_audits):
    good = sentences.answer(ladders_of(made_up_audits(models=["a", "b"])))
    assert "36 are good, none bad and none horrible" in good
    assert "Good throughout: a and b." in good
    assert "Every tolerance series converges, though its error may rise" in good
    errors = {("a", "forward_ad"): 9.0}
    worse = sentences.answer(ladders_of(made_up_audits(models=["a", "b"], errors=errors)))
    assert "30 are good, none bad and 6 horrible" in worse
    assert "Good throughout: b. Horrible somewhere: a." in worse
    stuck = ladders_of(made_up_audits()).assign(converging=False)
    text = "18 tolerance series do not converge as the tolerance decreases; of these "
    assert f"{text}18 are good, none bad and none horrible." in sentences.answer(stuck)
    stuck.loc[stuck.index[0], "verdict"] = "horrible"
    assert f"{text}17 are good, none bad and 1 horrible." in sentences.answer(stuck)


def test_series_whose_true_gradient_is_zero_are_counted_apart(made_up_audits):
    """Among the good ones, those of data of the same solve show nothing; rounding is no gradient.

    A solve that failed has no reference of such data.
    """
    table = made_up_audits(models=["a", "b"]).assign(reference_norm=1.0, natural_scale=1.0)
    same = table["functional"] == table["functional"].iloc[0]
    table.loc[same, ["reference_norm", "kind"]] = [1e-12, "solver_target"]
    table.loc[same & (table["rtol"] == table["rtol"].max()), "reference_norm"] = np.nan
    ladders = ladders_of(table)
    said = sentences.answer(ladders)
    assert "Of 24 tolerance series whose true gradient is not 0" in said
    assert (
        "Of 12 more, whose true gradient is 0, 12 are good, none bad and none horrible; 12 of the "
        "good ones are false good" in said
    )
    assert ladders["false_good"].sum() == 12
    own = ladders[ladders["model"] == "a"]
    assert "12 are good, none bad and none horrible; 6 are false good" in model_sentences.verdict(
        own
    )
    cells = [cell.text for row in tables.verdict_table(own).rows for cell in row]
    assert cells.count("false good") == 6
    assert [cell.text for cell in tables.method_table(ladders).rows[0]][1:] == ["8", "0", "0"]


def test_gradients_that_are_zero_are_no_cases():
    table = pd.DataFrame(
        {
            "method": "forward_ad",
            "rtol": 1e-3,
            "error": [0.0, 0.0, 0.3, 1e-3],
            "piecewise_constant": False,
            "reference_norm": [0.0, 1e-12, 1.0, 1.0],
            "natural_scale": 1.0,
        }
    )
    assert sentences.share_within(table, 1e-3, 1e-2) == (0.5, 2)
    assert sentences.share_within(table.assign(reference_norm=1.0), 1e-3, 1e-2) == (0.75, 4)
    assert "1 of 2 cases at rtol 1e-3" in sentences.within(table, 1e-2)


def test_the_loosest_tolerance_is_named_with_its_failures(made_up_audits):
    text = sentences.loosest(made_up_audits(errors={("made_up", "dual_norm"): 3.0}), 0.5)
    assert "rtol 1e-3" in text
    assert "0 of 6 cases by forward AD" in text
    assert "6 of 6 cases by dual norm" in text
    assert "failed" not in text
    broken = sentences.loosest(made_up_audits(failed=[("tsit5", 1e-3)]), 0.5)
    assert "or the solve failed" in broken
    assert "3 of 6 cases by forward AD" in broken


def test_control_is_compared_setting_by_setting(made_up_audits):
    errors = {("made_up", "forward_ad"): 1e-3, ("made_up", "forward_sensitivity"): 1e-5}
    text = sentences.control(made_up_audits(errors=errors))
    assert "smaller error in 24 of 24 pairs" in text
    assert "100 times smaller" in text
    swapped = dict(zip(errors, reversed(errors.values()), strict=True))
    assert "100 times larger" in sentences.control(made_up_audits(errors=swapped))
    assert sentences.control(made_up_audits(methods=["forward_ad"])) == ""


def test_failures_are_counted(made_up_audits):
    assert "Every solve finished" in sentences.failures(made_up_audits())
    some = sentences.failures(made_up_audits(failed=[("tsit5", 1e-3)]))
    assert some == "3 of 24 solves failed: max steps (3)."
    table = made_up_audits(solvers=["tsit5"], tolerances=[1e-3], failed=[("tsit5", 1e-3)])
    assert sentences.failures(table).startswith("Every solve failed (3 of 3)")


def test_the_indicator_is_judged(made_up_audits):
    table = made_up_audits(errors={("made_up", "forward_ad"): 0.3})
    assert "detects 24 of the 24 gradients" in sentences.indicator(table, 1e-2)
    assert "detects 0 of the 24" in sentences.indicator(table.assign(indicator=0.0), 1e-2)
    alarmed = sentences.indicator(made_up_audits().assign(indicator=1e12), 1e-2)
    assert "nothing to detect" in alarmed
    assert "false alarm on 72 of the 72 others" in alarmed
    assert "no gradient" in sentences.indicator(table.assign(indicator=np.nan), 1e-2)


def test_references_are_counted():
    assert "Certified: 2 of 2 references, each to at least 11.0 significant" in sentences.certified(
        {"a": "ok", "b": "ok"}, {"a": 13.0, "b": 11.0}
    )
    text = sentences.certified({"a": "ok", "b": "time_limit"}, {"a": 13.0, "b": 2.0})
    assert "1 of 2" in text
    assert "not certified: b" in text


def test_the_reference_of_a_model_says_what_it_cost():
    rungs = [
        {"precision": "double", "tolerance": 1e-16, "build_seconds": 0.5, "run_seconds": 1.0},
        {"precision": "double", "tolerance": 1e-16, "build_seconds": 0.5, "run_seconds": 1.0},
    ]
    text = model_sentences.reference({"digits": 12.7, "status": "ok"}, rungs)
    assert text == (
        "The reference is certified, by 2 solves in double precision, in 2.5 s: 12.7 significant "
        "digits are certified for every sensitivity that is not negligible."
    )
    lost = model_sentences.reference({"digits": np.nan, "status": "time_limit"}, [])
    assert "does not have the requested digits (time_limit)" in lost
    assert "roven" not in text + lost


def test_proven_digits_stand_beside_certified_ones():
    told = {"digits": 12.7, "status": "ok", "proof_status": "ok", "proven_digits": 9.68}
    text = model_sentences.reference(told, [])
    assert "12.7 significant digits are certified" in text
    assert text.endswith(" Proven by a validated integrator: 9.6 significant digits.")
    cut = told | {"proof_status": "proven until t = 1: the time limit came", "proven_digits": 0.0}
    text = model_sentences.reference(cut, [])
    assert text.endswith(
        " There is no proof of the whole window (proven until t = 1: the time limit came)."
    )
    refuted = told | {"status": "uncertified: contradiction", "proof_status": "contradiction: at t"}
    assert "The proof refutes it (contradiction: at t)" in model_sentences.reference(refuted, [])


def test_a_model_is_judged_by_its_ladders(made_up_audits):
    table = made_up_audits(errors={("made_up", "forward_ad"): 0.3})
    ladders = ladders_of(table)
    text = model_sentences.verdict(ladders)
    assert "12 are good, 6 bad and none horrible" in text
    assert "largest error is 0.3: V at the end, by" in text
    assert "no tolerance is sufficient there" in text
    one = ladders.assign(sufficient_rtol=1e-7, spikes=1)
    assert "it takes rtol 1e-7 or a tighter one to be right there" in model_sentences.verdict(one)
    assert model_sentences.verdict(ladders.iloc[:0]).startswith("No gradient")
    failed = ladders.assign(worst_error=np.nan)
    assert "No gradient is finite." in model_sentences.verdict(failed)


def test_order_and_attribution(made_up_audits):
    table = made_up_audits()
    ladders = ladders_of(table)
    assert "power 1.10 (median of 18 tolerance series, from 1.00 to 1.20)" in model_sentences.order(
        ladders
    )
    stuck = ladders.assign(converging=[False] + [True] * 17)
    assert model_sentences.order(stuck).startswith("Where it converges, the error falls like")
    assert "(median of 17 tolerance series" in model_sentences.order(stuck)
    assert "does not converge" in model_sentences.order(stuck)
    flat = ladders.assign(order=[np.nan] * 3 + [1.0] * 15)
    assert "3 tolerance series have no order" in model_sentences.order(flat)
    assert "(median of 15 tolerance series" in model_sentences.order(flat)
    assert "No order" in model_sentences.order(ladders.assign(order=np.nan))
    assert "comes from wrong states in all 72 gradients" in model_sentences.attribution(table)
    mixed = table.assign(dominant=["tangent"] * 70 + ["rounding"] * 2)
    assert "wrong tangents in 70 and rounding in 2 of 72" in model_sentences.attribution(mixed)
    assert model_sentences.attribution(table.assign(dominant="")) == "No error can be attributed."


def test_a_cheapest_setting_may_be_missing():
    row = {"solver": "tsit5", "method": "forward_ad", "rtol": 1e-4, "seconds": 0.05}
    assert model_sentences.cheapest(row) == "tsit5, forward AD, rtol 1e-4: 50 ms"
    counted = model_sentences.cheapest({**row, "work": 23456.0})
    assert counted == "tsit5, forward AD, rtol 1e-4: work 23\u202f456, 50 ms"
    for empty in (None, np.nan, ""):
        assert model_sentences.cheapest({"solver": empty, "reason": "too hard"}) == "too hard"
    assert model_sentences.cheapest({"solver": np.nan}) == "–"


def test_the_experiment_is_described_from_its_table(made_up_experiment):
    def sentence_of(table: pd.DataFrame, published: float | None = None) -> str:
        return " ".join(experiment_sentences.paragraphs(table, published=published, good=1e-2))

    text = sentence_of(made_up_experiment(), 2e6)
    assert "at rtol 1e-3 the gradient of the loss has norm 1e6" in text
    assert "Published: 2e6, a ratio of 0.5." in text
    assert "due to the states" in text
    assert "its V differs from the target by up to 0.8 mV (the residual" in text
    assert "(1e-6 mV at most)" in text
    assert "10\u202f000 times less, but the error of its tangents is up to 35 %" in text
    assert "has norm 5e5" in text
    assert "falls with the tolerance: 1e6 at rtol 1e-3, 1000 at 1e-6" in text
    assert "Published" not in sentence_of(made_up_experiment())
    assert "due to the tangents" in sentence_of(
        made_up_experiment(state_part=1.0, tangent_part=2.0)
    )
    right = made_up_experiment()
    right.loc[right["variant"] == "same_grid", "tangent_error"] = 1e-4
    assert "the error of its tangents is up to 0.01 %" in sentence_of(right)
    assert "failed" in sentence_of(made_up_experiment().assign(status="max_steps"))
    only = made_up_experiment(tolerances=[1e-3])
    assert "falls" not in sentence_of(only)
    assert sentence_of(only[only["variant"] == "same_grid"]).startswith(
        "Forward AD on the same steps"
    )


def test_certified_digits_are_never_rounded_up():
    assert rounded_down(12.98) == "12.9"


def test_how_often_forward_ad_is_right_counts_what_has_a_derivative():
    table = pd.DataFrame(
        {
            "method": ["forward_ad"] * 4 + ["dual_norm"],
            "rtol": [1e-3, 1e-3, 1e-3, 1e-6, 1e-3],
            "error": [1e-2, 0.3, 0.0, float("nan"), 1e-9],
            "piecewise_constant": [False, False, True, False, False],
        }
    )
    assert sentences.within(table, 1e-2) == (
        "Forward AD is within 1 % of the true gradient in 1 of 2 cases at rtol 1e-3 and 0 of "
        "1 case at rtol 1e-6. A case is a model, a solver and a functional whose true gradient "
        "is not 0."
    )
    assert sentences.within(table.iloc[:0], 1e-2) == ""


def test_variants_and_tolerances_of_solvers_are_told(audits):
    given = audits(
        {"solver": "tsit5", "base_solver": "tsit5", "variant": ""},
        {"solver": "tsit5_clip", "base_solver": "tsit5", "variant": "observe=clip"},
    )
    text = model_sentences.solvers(given)
    assert text == (
        "Among the solvers, tsit5_clip is tsit5 with steps clipped to the observations."
    )
    loose = given[(given["solver"] == "tsit5") | (given["rtol"] > 1e-6)]
    assert "Tolerances: 7 down to 1e-9 for tsit5 and 3 down to" in (model_sentences.solvers(loose))
    plain = given[given["solver"] == "tsit5"]
    assert model_sentences.solvers(plain) == ""
