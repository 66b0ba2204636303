"""What collocation certifies: claims against closed forms, and against the Taylor method."""

import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import gradaudit
from gradaudit import Event, Model
from gradaudit.certification.climb import Climb
from gradaudit.certification.collocation.rungs import Collocation
from gradaudit.errors import SettingError


def claims_hold(found, exact):
    """Every entry with digits has them; the margin of 2e-16 is the rounding of the result."""
    held = found.digits.per_entry
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.abs(found.sensitivities / exact - 1.0)
    return bool(np.all((error <= 10.0**-held + 2e-16)[np.nan_to_num(held) > 0.0]))


@pytest.mark.parametrize("rates", [(3.0, 2e5, 0.7), (4e6, 0.03, 50.0)])
def test_a_linear_chain_against_its_closed_form(rates):
    model = Model(
        name="chain",
        vector_field=lambda t, y, p: jnp.stack([-p[0] * y[0], p[0] * y[0] - p[1] * y[1]]),
        states={"a": (1.0, ""), "b": (0.0, "")},
        parameters={"k": (rates[0], ""), "l": (rates[1], "")},
        t_end=rates[2],
        observations=5,
    )
    found = gradaudit.reference(model, method="collocation", digits=10.0)
    assert found.digits > 10.0

    def solution(t, k, l):  # noqa: E741
        a = mpmath.exp(-k * t)
        return a, k / (l - k) * (a - mpmath.exp(-l * t))

    exact = np.zeros(found.sensitivities.shape)
    with mpmath.workdps(60):
        for row, t in enumerate(found.times):
            for i in range(2):
                for j, order in enumerate([(1, 0), (0, 1)]):
                    exact[row, i, j] = mpmath.diff(
                        lambda k, l: solution(mpmath.mpf(t), k, l)[i],  # noqa: B023, E741
                        tuple(map(mpmath.mpf, rates[:2])), order,
                    )  # fmt: skip
    assert claims_hold(found, exact)


@pytest.mark.parametrize("offset", [1e-9, 1e-14])
def test_a_formula_that_cancels_is_not_certified_beyond_its_rounding(offset):
    """(1 + e) - 1 has the same rounding error in every solve of one precision."""
    model = Model(
        name="cancel",
        vector_field=lambda t, y, p: -p[0] * (((1.0 + p[1]) - 1.0) / offset) * y,
        states={"y": (1.0, "")},
        parameters={"k": (1.3, ""), "e": (offset, "")},
        t_end=1.0,
        observations=3,
    )
    found = gradaudit.reference(model, method="collocation")
    t = found.times[:, None]
    exact = -t * np.exp(-1.3 * t) * np.array([1.0, 1.3 / offset])
    assert claims_hold(found, exact[:, None])


def test_collocation_and_taylor_agree_to_the_digits_that_they_claim():
    one, other = (
        gradaudit.reference("newton_truncation", method=m) for m in ("collocation", "taylor")
    )
    held = np.fmin(one.digits.per_entry, other.digits.per_entry)
    error = np.abs(one.sensitivities - other.sensitivities)
    allowed = (2.0 * 10.0**-held + 2e-16) * np.abs(other.sensitivities)
    assert np.all(error[held > 0] <= allowed[held > 0])
    assert one.status == other.status == "ok"


def test_a_parameter_without_effect_but_for_rounding_is_zero():
    """d/db of ((a + b) - b) is 1 - 1, and states of rounding: solved in quad precision."""
    model = Model(
        name="idle",
        vector_field=lambda t, y, p: -p[0] * y / (p[1] / (p[1] + p[2] * p[1])),
        states={"y": (1.0, "")},
        parameters={"k": (1.0, ""), "none": (0.3, ""), "one": (0.7, "")},
        t_end=2.0,
    )
    found = gradaudit.reference(model, method="collocation")
    assert found.status == "ok"
    np.testing.assert_array_equal(found.sensitivities[..., 1], 0.0)


def test_another_method_is_refused():
    with pytest.raises(SettingError, match="method is 'euler'"):
        gradaudit.reference("logistic", method="euler")


def test_a_pulse_that_elements_jump_over_is_not_certified():
    model = Model(
        name="pulse",
        vector_field=lambda t, y, p: p * jnp.exp(-(((t - 50.03) / 0.01) ** 2)),
        states={"y": (0.0, "")},
        parameters={"k": (1.0, "")},
        t_end=100.0,
    )
    found = gradaudit.reference(model, method="collocation")
    assert found.status.startswith("uncertified: about t = ")
    assert np.nanmax(found.digits.per_entry, initial=0.0) == 0.0


def test_a_state_that_comes_and_goes_before_the_first_observation():
    """The states b and c begin at 0, and are gone where they are seen.

    With x = exp(-r t) they are a = x, b = x - x^2 and c = x (1 - x)^2.
    """
    model = Model(
        name="chain",
        vector_field=lambda t, y, p: jnp.stack(
            [-p[0] * y[0], p[0] * y[0] - 2.0 * p[0] * y[1], 2.0 * p[0] * y[1] - 3.0 * p[0] * y[2],
             y[0] * y[1]]
        ),
        states={"a": (1.0, ""), "b": (0.0, ""), "c": (0.0, ""), "seen": (0.0, "")},
        parameters={"r": (3.0, "")},
        t_end=20.0,
    )  # fmt: skip
    found = gradaudit.reference(model, times=[18.0, 20.0], method="collocation")
    assert found.digits.per_entry[-1, 3, 0] > 13.0
    # y0 y1 = x^2 - x^3, whose integral is (1/2 - 1/3) / r but for what is left at the end
    assert found.states[-1, 3] == pytest.approx(1.0 / 18.0, rel=1e-14)
    assert found.sensitivities[-1, 3, 0] == pytest.approx(-1.0 / 54.0, rel=1e-13)


def test_sizes_are_those_between_observations_too():
    model = Model(
        name="gone",
        vector_field=lambda t, y, p: jnp.stack([-p[0] * y[0], p[0] * (y[0] - y[1])]),
        states={"a": (1.0, ""), "b": (0.0, "")},
        parameters={"r": (1.0, "")},
        t_end=60.0,
    )
    climb = Climb(model, np.array([60.0]), negligible=1e-8, time_limit=60.0, progress=None)
    ladder = Collocation(climb)
    ladder.scout()
    assert ladder.expected.states[1] == pytest.approx(np.exp(-1.0), rel=0.05)  # of t exp(-t)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("method", ["taylor", "collocation"])
def test_a_rung_that_is_enough_ends_the_ladder(method):
    """It has the first bounds that were certified, and the digits of these bounds."""
    model = Model(
        name="decay",
        vector_field=lambda t, y, p: -p[0] * y,
        states={"y": (1.0, "")},
        parameters={"k": (1.3, "")},
        t_end=1.0,
    )
    asked = []

    def lacking(found):
        asked.append(found.sensitivity_bounds.max())
        return None

    found = gradaudit.reference(model, method=method, digits=15.5, lacking=lacking)
    assert found.status == "ok"
    assert len(asked) == 1
    assert asked[0] == found.extended.sensitivity_bounds.max()
    assert found.digits < 15.5
    whole = gradaudit.reference(
        model, method=method, digits=15.5, lacking=lambda found: np.array([True])
    )
    assert len(whole.rungs) > len(found.rungs)


def test_a_second_pair_of_quad_solves_has_more_digits_than_the_first():
    """Bounds of 1e-22 are beyond the first pair, whose elements may leave 2e-21."""
    model = Model(
        name="relaxation",
        vector_field=lambda t, y, p: jnp.stack([-p[0] * y[0], p[1] * (y[0] - y[1])]),
        states={"x": (1.0, ""), "z": (2.0, "")},
        parameters={"k": (0.75, ""), "fast": (1e4, "")},
        t_end=2.0,
    )

    def lacking(found):
        fine = found.quad is not None and found.quad.sensitivity_bounds[..., 0].max() < 1e-22
        return None if fine else np.array([True, False])

    found = gradaudit.reference(
        model, [1.0, 2.0], method="collocation", digits=np.inf, lacking=lacking
    )
    assert found.status == "ok"
    quad = found.extended.quad
    with mpmath.workdps(50):
        k, fast = mpmath.mpf(0.75), mpmath.mpf(1e4)
        for row, t in enumerate((1, 2)):
            share = fast / (fast - k)  # exp(-fast t) is below 1e-4000
            exact = [mpmath.exp(-k * t), share * mpmath.exp(-k * t)]
            slopes = [-t * exact[0], exact[1] * (1 / (fast - k) - t)]
            for i in range(2):
                wrong = abs(mpmath.mpf(str(quad.states[row, i])) - exact[i])
                assert wrong <= quad.state_bounds[row, i] < 1e-22
                wrong = abs(mpmath.mpf(str(quad.sensitivities[row, i, 0])) - slopes[i])
                assert wrong <= quad.sensitivity_bounds[row, i, 0]


def test_what_is_infinite_needs_somebody_to_say_what_is_lacking():
    with pytest.raises(SettingError, match="digits is inf"):
        gradaudit.reference("logistic", digits=np.inf)


def test_a_ramp_that_begins_late_is_certified():
    """Its first moments are known to what rounding leaves of the time: at 1799.99 of 0.01, a digit.

    y_j = integral of k (k (T - s))^j / j! exp(-k (T - s)) u(s), and u is 0, a quarter of a sine, 1.
    """
    begin, full, end, k, length = 1799.99, 1800.0, 2000.0, 0.01, 4

    def input_of(t):
        ramp = jnp.sin(50 * jnp.pi * (t - begin))
        return jnp.where(t < begin, 0.0, jnp.where(t < full, ramp, 1.0))

    model = Model(
        name="late_ramp",
        vector_field=lambda t, y, p: p[0] * (jnp.concatenate([input_of(t)[None], y[:-1]]) - y),
        states={f"y{j}": (0.0, "") for j in range(length)},
        parameters={"k": (k, "")},
        t_end=end,
        events={
            "begin": Event(when=lambda t, y, p: t - begin),
            "full": Event(when=lambda t, y, p: t - full),
        },
    )
    found = gradaudit.reference(model, times=[end], method="collocation")
    assert found.status == "ok"
    with mpmath.workdps(40):
        rate = mpmath.mpf(k)

        def weight(j, s):
            gone = rate * (end - s)
            return rate * gone**j / mpmath.factorial(j) * mpmath.exp(-gone)

        for j in range(length):
            exact = mpmath.quad(
                lambda s, j=j: weight(j, s) * mpmath.sin(50 * mpmath.pi * (s - mpmath.mpf(begin))),
                [begin, full],
            ) + mpmath.quad(lambda s, j=j: weight(j, s), [full, end])
            assert abs(found.states[-1, j] / float(exact) - 1.0) < 10.0**-found.digits
