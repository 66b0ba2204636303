"""Pre-equilibration and measurements at infinity have the gradients of closed forms."""

from __future__ import annotations

from pathlib import Path

import mpmath
import pytest

import gradaudit
from gradaudit.certification.heyoka.precision import QUAD, available
from problem_closed_forms import EXCHANGE, assert_certified, closed_form, density, relaxed, resting

PARAMETERS = "parameterId parameterScale lowerBound upperBound nominalValue estimate"
OBSERVABLES = "observableId observableFormula noiseFormula"
MEASUREMENTS = "observableId preequilibrationConditionId simulationConditionId time measurement"


def exchange(write, **tables) -> Path:
    path = write(**tables)
    (path.parent / "model.xml").write_text(EXCHANGE, encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_simulation_begins_at_the_steady_state_of_another_condition(write):
    """A parameter that acts before only, one that acts behind only, one that does both."""
    problem = gradaudit.load_problem(
        exchange(
            write,
            parameters=[
                PARAMETERS,
                "rest log10 1e-3 1e2 0.5 1",
                "rate lin 0 10 1.5 1",
                "back lin 0 10 0.75 1",
                "a0 lin 0 10 2 1",
            ],
            conditions=["conditionId k", "before rest", "c rate"],
            observables=[OBSERVABLES, "o B 0.5"],
            measurements=[MEASUREMENTS, "o before c 0 1.5", "o before c 2 1", "o _ c 1 1"],
        )
    )

    def exact(rest, rate, back, a0):
        b = resting(rest, back, a0 + 0.5)
        behind = [relaxed(rate, back, a0 + 0.5 - b, b, t)[1] for t in (0, 2)]
        plain = relaxed(rate, back, a0, mpmath.mpf("0.5"), 1)[1]
        return density(1.5, behind[0], 0.5) + density(1, behind[1], 0.5) + density(1, plain, 0.5)

    found = gradaudit.reference_gradient(problem)
    values = closed_form(exact, ["0.5", "1.5", "0.75", "2"], ["log10", "lin", "lin", "lin"])
    assert_certified(found, *values)
    assert list(found.by_condition) == ["c after before", "c"]
    assert problem.log_likelihood() == pytest.approx(found.value, rel=1e-14)


@pytest.mark.parametrize("behind", ["rate", "1.5"])
def test_an_id_of_the_model_may_be_estimated_before_and_have_another_value_behind(write, behind):
    """The rate `k` of pre-equilibration is estimated; behind it the model has another `k`."""
    problem = gradaudit.load_problem(
        exchange(
            write,
            parameters=[PARAMETERS, "k lin 0 10 0.5 1", "rate lin 0 10 1.5 1"],
            conditions=["conditionId k", "before _", f"c {behind}"],
            observables=[OBSERVABLES, "o B*rate 0.5"],
            measurements=[MEASUREMENTS, "o before c 2 1"],
        )
    )

    def exact(k, rate):
        own = rate if behind == "rate" else mpmath.mpf("1.5")
        b = resting(k, 1, mpmath.mpf("1.5"))
        return density(1, relaxed(own, 1, mpmath.mpf("1.5") - b, b, 2)[1] * rate, 0.5)

    found = gradaudit.reference_gradient(problem)
    assert_certified(found, *closed_form(exact, ["0.5", "1.5"], ["lin", "lin"]))


@pytest.mark.slow
def test_states_that_the_condition_sets_are_reset_and_the_others_stay(write):
    problem = gradaudit.load_problem(
        exchange(
            write,
            parameters=[PARAMETERS, "back lin 0 10 0.75 1", "dose log 0.1 10 2 1"],
            conditions=["conditionId k A B", "before 0.25 1 2", "c 1.5 dose NaN"],
            observables=[OBSERVABLES, "o A 0.5", "u B 0.25"],
            measurements=[MEASUREMENTS, "o before c 1 1.5", "u before c 0 1", "u before c inf 1"],
        )
    )

    def exact(back, dose):
        b = resting(mpmath.mpf("0.25"), back, 3)
        at = relaxed(mpmath.mpf("1.5"), back, dose, b, 1)[0]
        end = resting(mpmath.mpf("1.5"), back, dose + b)
        return density(1.5, at, 0.5) + density(1, b, 0.25) + density(1, end, 0.25)

    found = gradaudit.reference_gradient(problem)
    assert_certified(found, *closed_form(exact, ["0.75", "2"], ["lin", "log"]))


def test_a_steady_state_alone_is_measured(write):
    problem = gradaudit.load_problem(
        exchange(
            write,
            parameters=[PARAMETERS, "back lin 0 10 0.75 1", "a0 lin 0 10 2 1"],
            observables=[OBSERVABLES, "o B*back 0.5"],
            conditions=["conditionId k", "c 1.5"],
            measurements=[
                "observableId simulationConditionId time measurement",
                "o c inf 1.5",
                "o c inf 1.25",
            ],
        )
    )

    def exact(back, a0):
        h = resting(mpmath.mpf("1.5"), back, a0 + 0.5) * back
        return density(1.5, h, 0.5) + density(1.25, h, 0.5)

    found = gradaudit.reference_gradient(problem)
    assert_certified(found, *closed_form(exact, ["0.75", "2"], ["lin", "lin"]))


@pytest.mark.slow
def test_what_does_not_come_to_rest_is_refused_with_condition_and_reason(write):
    path = write(
        conditions=["conditionId k", "before -0.1", "c 0.5"],
        measurements=[MEASUREMENTS, "o before c 1 1"],
        parameters=[PARAMETERS, "a0 lin 0 10 2 1"],
    )
    with pytest.raises(gradaudit.ProblemError, match=r"pre-equilibration of .*'c after before'"):
        gradaudit.reference_gradient(gradaudit.load_problem(path))


def test_a_condition_behind_itself_stays_at_rest_unless_it_sets_a_state(write):
    tables = {
        "parameters": [PARAMETERS, "back lin 0 10 0.75 1"],
        "observables": [OBSERVABLES, "o B*back 0.5"],
        "measurements": [MEASUREMENTS, "o c c 1 1.5", "o c c 3 1"],
    }
    problem = gradaudit.load_problem(
        exchange(write, conditions=["conditionId k", "c 1.5"], **tables)
    )

    def at_rest(back):
        h = resting(mpmath.mpf("1.5"), back, mpmath.mpf("1.5")) * back
        return density(1.5, h, 0.5) + density(1, h, 0.5)

    found = gradaudit.reference_gradient(problem)
    assert_certified(found, *closed_form(at_rest, ["0.75"], ["lin"]))
    conditions = ["conditionId k A", "c 1.5 2"]
    problem = gradaudit.load_problem(exchange(write, conditions=conditions, **tables))

    def reset(back):
        k = mpmath.mpf("1.5")
        b = resting(k, back, mpmath.mpf("2.5"))
        h = [relaxed(k, back, 2, b, t)[1] * back for t in (1, 3)]
        return density(1.5, h[0], 0.5) + density(1, h[1], 0.5)

    found = gradaudit.reference_gradient(problem)
    assert_certified(found, *closed_form(reset, ["0.75"], ["lin"]))


def test_a_rate_on_which_the_steady_state_does_not_depend_is_no_defect(write):
    """A decays to 0, whatever its rate: the entry of the rate vanishes."""
    problem = gradaudit.load_problem(
        write(
            parameters=[PARAMETERS, "k lin 0 10 0.5 1", "gain lin 0 10 2 1"],
            conditions=["conditionId", "c"],
            observables=[OBSERVABLES, "o A+gain 0.5"],
            measurements=[MEASUREMENTS, "o c c 1 1.5"],
        )
    )
    found = gradaudit.reference_gradient(problem)
    assert found.status == "ok"
    assert found.gradient[0] == 0.0
    assert found.gradient[1] == pytest.approx(-2.0)


@pytest.mark.slow
@pytest.mark.skipif(not available(QUAD), reason="heyoka has no quad precision here")
@pytest.mark.parametrize(
    "rows", [("c c 1", "d d 1"), ("_ c inf", "_ d inf"), ("c c2 1", "d d2 1")],
    ids=["stays", "infinity", "behind"],
)  # fmt: skip
def test_a_billionth_of_what_steady_states_add_has_its_digits(write, rows):
    """The total is conserved; over two conditions all but a billionth cancels."""
    left, totals, rate = 1e-9, (mpmath.mpf("2.5"), mpmath.mpf("3")), mpmath.mpf("1.5")
    later = mpmath.mpf("0.75")

    def simulated(total, back):
        b = resting(rate, back, total)
        return b if "c2" not in rows[0] else relaxed(later, back, total - b, b, 1)[1]

    with mpmath.workdps(50):
        at = [simulated(total, mpmath.mpf("0.75")) for total in totals]
        slopes = [mpmath.diff(lambda x, s=s: simulated(s, x), mpmath.mpf("0.75")) for s in totals]
        measured = [float(at[0] + 1), float(at[1] - (1 - left) * slopes[0] / slopes[1])]
    problem = gradaudit.load_problem(
        exchange(
            write,
            parameters=[PARAMETERS, "back lin 0 10 0.75 1"],
            conditions=["conditionId k A", "c 1.5 2", "d 1.5 2.5", "c2 0.75 NaN", "d2 0.75 NaN"]
            if "c2" in rows[0]
            else ["conditionId k a0", "c 1.5 2", "d 1.5 2.5"],
            observables=[OBSERVABLES, "o B 0.5"],
            measurements=[
                MEASUREMENTS,
                *(f"o {row} {value!r}" for row, value in zip(rows, measured, strict=True)),
            ],
        )
    )

    def exact(back):
        found = [simulated(total, back) for total in totals]
        return sum(density(y, h, 0.5) for y, h in zip(measured, found, strict=True))

    found = gradaudit.reference_gradient(problem, digits=12.0)
    assert_certified(found, *closed_form(exact, ["0.75"], ["lin"]))
    assert found.sizes[0] > 1e8 * abs(found.gradient[0])
