"""A certificate never claims more digits than hold: checked against closed forms in 237 bits."""

from __future__ import annotations

from types import SimpleNamespace

import heyoka as hy
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit import Model, SettingError, load_model
from gradaudit.certification import certificate, ladder, reference
from gradaudit.certification.climb import JumpedOverError
from gradaudit.certification.heyoka.precision import DOUBLE, LONG_DOUBLE, QUAD
from gradaudit.sensitivity.taylor import taylor_sensitivities

BITS = 237


def big(values):
    """Exact numbers of 237 bits."""
    given = np.asarray(values, dtype=np.float64)
    lifted = np.empty(given.shape, dtype=hy.real)
    for index, value in np.ndenumerate(given):
        lifted[index] = hy.real(float(value), BITS)
    return lifted


def digits_that_hold(computed, exact):
    """Of float64 numbers against numbers of 237 bits; NaN where the exact one is 0."""
    error = (big(computed) - exact).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return -np.log10(np.abs(error) / np.abs(exact.astype(float)))


def made(name, vector_field, states, parameters, t_end, **more):
    return Model(
        name=name,
        vector_field=vector_field,
        states={k: (v, "") for k, v in states.items()},
        parameters={k: (v, "") for k, v in parameters.items()},
        t_end=t_end,
        observations=21,
        **more,
    )


def decay(p):
    model = made("decay", lambda t, y, p: -p * y, {"y": 1.0}, {"p": p}, 6.0)
    return model, lambda t, p: (-t * np.exp(-p * t))[:, None]


def oscillator(w):
    def field(t, y, p):
        return jnp.stack([y[1], -(p[0] ** 2) * y[0]])

    model = made("oscillator", field, {"x": 1.0, "v": 0.0}, {"w": w}, 20.0)
    return model, lambda t, w: np.stack(
        [-t * np.sin(w * t), -np.sin(w * t) - w * t * np.cos(w * t)], axis=1
    )


def follower(rate, t_end):
    """Prothero and Robinson's problem: stiff for a large rate, unstable for a negative one."""

    def build(w):
        def field(t, y, p):
            return -rate * (y - jnp.cos(p * t)) - p * jnp.sin(p * t)

        model = made("follower", field, {"y": 1.0}, {"w": w}, t_end)
        return model, lambda t, w: (-t * np.sin(w * t))[:, None]

    return build


def limit_cycle(w):
    def field(t, y, p):
        pull = 1.0 - y[0] ** 2 - y[1] ** 2
        return jnp.stack([y[0] * pull - p[0] * y[1], y[1] * pull + p[0] * y[0]])

    model = made("limit-cycle", field, {"x": 1.0, "y": 0.0}, {"w": w}, 50.0)
    return model, lambda t, w: np.stack([-t * np.sin(w * t), t * np.cos(w * t)], axis=1)


def parametrised_start(a):
    def start(p):
        return jnp.stack([p[0] ** 2 * jnp.exp(p[0])])

    model = made("start", lambda t, y, p: -y, {"y": 1.0}, {"a": a}, 3.0, initial_state=start)
    return model, lambda t, a: ((2 * a + a * a) * np.exp(a) * np.exp(-t))[:, None]


def equilibrium(a):
    """The state stands still; the tangent does not."""
    start = {"initial_state": lambda p: jnp.stack([0.5 * p[0]]) - 0.5 * (p[0] - jnp.float64(a))}
    model = made("still", lambda t, y, p: p - 2.0 * y, {"y": a / 2}, {"a": a}, 2.0, **start)
    return model, lambda t, a: ((1 - np.exp(-2 * t)) / 2)[:, None]


def explosive(p):
    model = made("explosive", lambda t, y, p: -1e3 * (y - p), {"y": p}, {"p": p}, 10.0)
    return model, lambda t, p: (1 - np.exp(-1000 * t))[:, None]


CASES = {
    "decay": decay,
    "oscillator": oscillator,
    "stiff": follower(1e4, 1.5),
    "amplifying": follower(-10.0, 1.0),
    "amplifying more": follower(-25.0, 1.0),
    "limit cycle": limit_cycle,
    "parametrised start": parametrised_start,
    "equilibrium": equilibrium,
    "explosive": explosive,
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", CASES)
def test_claimed_digits_hold(name):
    parameter = float(np.random.default_rng(len(name)).uniform(0.5, 2.0))
    model, exact = CASES[name](parameter)
    result = reference(model)
    assert result.status == "ok"
    assert 12.0 <= result.digits <= certificate.MOST_DIGITS
    truth = exact(big(result.times), big(parameter)[()])
    actual = digits_that_hold(result.sensitivities[:, :, 0], truth)
    claimed = result.digits.per_entry[:, :, 0]
    counted = np.isfinite(claimed)
    assert counted.mean() > 0.3
    assert np.all(claimed[counted] <= actual[counted])


def test_the_cheapest_sufficient_rung_is_taken():
    precisions = {
        name: reference(CASES[name](1.0)[0]).rungs[-1]["precision"]
        for name in ("decay", "amplifying more")
    }
    assert precisions == {"decay": "long double", "amplifying more": "quad"}


def test_peers_of_one_precision_are_cautious():
    """Long double alone: the spread and the scaled rounding of double bound the true error."""
    model, exact = follower(-14.0, 1.0)(1.3)
    result = reference(model, digits=13.0)
    assert [r["precision"] for r in result.rungs].count("long double") == 6
    truth = exact(big(result.times), big(1.3)[()])
    actual = digits_that_hold(result.sensitivities[:, :, 0], truth)
    claimed = result.digits.per_entry[:, :, 0]
    counted = np.isfinite(claimed)
    assert result.digits >= 13.0
    assert np.all(claimed[counted] <= actual[counted])


def test_logistic_agrees_with_its_closed_form():
    model = load_model("logistic")
    result = reference("logistic")
    assert result.status == "ok"
    slope = jax.vmap(jax.jacfwd(model.exact_solution, argnums=1), in_axes=(0, None))
    wanted = np.asarray(slope(jnp.asarray(result.times), jnp.asarray(model.nominal)))
    np.testing.assert_allclose(result.sensitivities, wanted, rtol=1e-13, atol=1e-15)
    assert result.states.shape == (101, 1)
    assert result.integral_sensitivities.shape == (101, 1, 2)


def test_integrals_are_those_of_the_closed_form():
    """q(t) = (1 - exp(-p t)) / p."""
    model, _ = decay(0.8)
    result = reference(model)
    p, t = 0.8, result.times
    np.testing.assert_allclose(result.integrals[:, 0], -np.expm1(-p * t) / p, rtol=1e-14)
    slope = t * np.exp(-p * t) / p + np.expm1(-p * t) / p**2
    np.testing.assert_allclose(
        result.integral_sensitivities[:, 0, 0], slope, rtol=1e-13, atol=1e-15
    )


def test_parameters_without_effect_and_constant_rates():
    model = made(
        "idle", lambda t, y, p: jnp.stack([1.0 + 0 * y[0], p[1] * t]), {"x": 0.0, "z": 0.0},
        {"none": 1.0, "used": 2.0, "last": 3.0}, 1.0,
    )  # fmt: skip
    result = reference(model)
    assert result.status == "ok"
    assert np.all(result.sensitivities[:, :, [0, 2]] == 0.0)
    np.testing.assert_allclose(result.sensitivities[:, 1, 1], result.times**2 / 2, rtol=1e-15)


def test_gates_that_start_closed():
    model = made("gate", lambda t, y, p: p[0] * (1 + y**3 - y**4), {"g": 0.0}, {"r": 1.0}, 0.5)
    assert reference(model).digits >= 12


@pytest.mark.parametrize("times", [[0.0], [1.0], [0.3, 6.0]])
def test_times_need_not_begin_at_zero(times):
    model, exact = decay(1.0)
    result = reference(model, times)
    wanted = exact(np.asarray(times), 1.0)
    np.testing.assert_allclose(result.sensitivities[:, :, 0], wanted, rtol=1e-14)
    assert result.status == "ok"


def test_sensitivities_that_are_zero_throughout_are_certified_as_zero():
    """At rest whatever the parameter is; not one entry counts, and none is wrong."""
    model = made("rest", lambda t, y, p: -p * (y - 1.0), {"y": 1.0}, {"p": 2.0}, 5.0)
    result = reference(model)
    assert result.status == "ok"
    assert not np.any(result.sensitivities)
    assert result.digits > 15


def test_blow_up_is_a_status_and_no_number():
    model = made("blow-up", lambda t, y, p: p * y**2, {"y": 1.0}, {"p": 1.0}, 2.0)
    result = reference(model)
    assert result.status.startswith("uncertified")
    assert np.isnan(result.sensitivities[-1]).all()
    assert result.digits == 0.0


def test_what_is_not_finite_is_a_status():
    model = made("root", lambda t, y, p: -p * jnp.sqrt(y), {"y": 1.0}, {"p": 1.0}, 3.0)
    result = reference(model, time_limit=2.0)
    assert result.status.startswith("uncertified")
    assert result.digits == 0.0


def test_time_limit_gives_the_best_so_far():
    model, _ = follower(-40.0, 1.0)(1.0)
    result = reference(model, time_limit=1e-6)
    assert result.status.startswith("uncertified")
    assert result.digits < 12


def test_narrow_features_are_not_jumped_over():
    """A switch that is exactly flat in floating point until it is near."""

    def field(t, y, p):
        return p * jax.nn.sigmoid((t - 5.0) / 1e-3)

    result = reference(made("switch", field, {"y": 0.0}, {"p": 1.0}, 10.0), [5.5, 10.0])
    np.testing.assert_allclose(result.sensitivities[:, 0, 0], [0.5, 5.0], rtol=1e-12)


def test_settings_are_checked():
    model, _ = decay(1.0)
    for wrong in ({"digits": 0.0}, {"digits": 17.0}, {"negligible": 0.0}, {"times": [99.0]}):
        with pytest.raises(SettingError):
            reference(model, **wrong)


def test_progress_is_told_of_long_solves_only():
    words = []
    model, _ = decay(1.0)
    reference(model, progress=lambda fraction, text: words.append(fraction))
    assert all(0.0 <= fraction <= 1.0 for fraction in words)


def test_taylor_sensitivities_is_a_method_like_any_other():
    model, exact = oscillator(1.1)
    errors = []
    for tolerance in (1e-4, 1e-12):
        solution = taylor_sensitivities(model, tolerance)
        assert solution.status == "ok"
        assert np.isnan(solution.indicator)
        assert solution.stats["steps"] > 0
        assert solution.stats["rejected"] == 0
        wanted = exact(solution.times, 1.1)
        errors.append(np.max(np.abs(solution.sensitivities[:, :, 0] - wanted)))
    assert errors[1] < 1e-8 < errors[0]


class PretendedClimb:
    """Hands out the digits of each bound in turn, and notes what was built and run."""

    def __init__(self, held, statuses=()):
        self.held, self.statuses = list(held), list(statuses)
        self.built, self.best, self.left = [], None, 60.0
        self.times, self.model, self.grid = np.array([1.0, 2.0]), SimpleNamespace(t_end=2.0), None
        self.rungs = [{"status": "max_steps"}]

    def build(self, precision, tolerance):
        self.built.append((precision.name, tolerance))
        return precision, tolerance

    def run(self, system, **options):
        precision, tolerance = system
        return SimpleNamespace(
            status=self.statuses.pop(0) if self.statuses else "ok",
            precision=precision,
            tolerance=tolerance,
            run_seconds=1e-3,
            reason="sliding",
            last=None,
            step_starts=np.empty(0),
            step_sizes=np.empty(0),
            times=self.times,
            values=np.array([[1.0], [np.nan]]),
        )

    def accept(self, solution, bounds):
        self.best = solution
        return float("nan") if bounds is None else self.held.pop(0)

    def digits(self):
        return None, 7.25

    def held_until(self, digits):
        return 1.0


@pytest.fixture
def climbing(monkeypatch):
    """Climb with the given digits of each bound, in turn."""
    monkeypatch.setattr(ladder.certificate, "between", lambda coarse, fine, grid: "bounds")
    monkeypatch.setattr(ladder.certificate, "apart", lambda *solutions, caution: "bounds")
    monkeypatch.setattr(ladder.certificate, "among", lambda peers, coarser, grid: (peers[0], "b"))
    monkeypatch.setattr(ladder, "available", lambda precision: True)

    def climb(*held, digits=12.0, statuses=()):
        pretended = PretendedClimb(held, statuses)
        return ladder._climb(pretended, digits), pretended

    return climb


def test_long_double_ends_the_climb_where_its_disagreement_with_double_is_small(climbing):
    status, climb = climbing(12.5)
    assert status == "ok"
    assert [name for name, _ in climb.built] == ["double", "long double"]


def test_peers_in_long_double_are_asked_where_they_can_certify_enough(climbing):
    """A spread of them certifies at best eps_double / eps_long_double = 2^11 more: 3.3 digits."""
    status, climb = climbing(10.0, 13.0)
    assert status == "ok"
    assert [name for name, _ in climb.built] == ["double"] + ["long double"] * 6
    status, climb = climbing(8.0, 15.0)
    assert [name for name, _ in climb.built] == ["double", "long double", "quad"]


def test_the_first_tolerance_of_quad_follows_from_the_digits_that_are_missing(climbing):
    _, climb = climbing(8.0, 15.0)
    assert climb.built[-1] == ("quad", pytest.approx(10.0 ** (8.0 - 12.0 - 20.0)))
    _, climb = climbing(float("nan"), 15.0)
    assert climb.built[-1] == ("quad", 1e-30)


def test_the_top_of_the_ladder_is_reached_without_a_certificate(climbing):
    status, climb = climbing(1.0, 2.0, 3.0, 4.0, 5.0)
    assert status == (
        "uncertified: the top of the ladder is reached; 7.2 digits hold, and 10 or more until t = 1"
    )
    assert [name for name, _ in climb.built[2:]] == ["quad", "quad", "multiple", "multiple"]


def test_a_failure_in_long_double_says_until_when_there_is_a_solution(climbing):
    status, _ = climbing(1.0, statuses=["ok", "ok", "non_finite"])
    assert status.startswith("uncertified: non_finite after t = 1, sliding; 7.2 digits hold")


def test_a_time_limit_in_double_precision_ends_it_at_once(climbing):
    status, climb = climbing(statuses=["time_limit"])
    assert status.startswith("uncertified: the time limit came in double precision; 7.2 digits")
    assert len(climb.built) == 1


def test_a_rung_that_would_take_too_long_is_not_begun(climbing, monkeypatch):
    monkeypatch.setattr(ladder, "_expected_seconds", lambda climb, precision, tolerance: 500.0)
    status, climb = climbing(8.0, 15.0)
    assert status.startswith("uncertified: quad precision would take longer than the time ")
    assert len(climb.built) == 2


def test_the_cost_goes_with_the_square_of_the_order_and_with_the_arithmetic():
    """From 1e-16 in double to 1e-32 in quad: twice the order, and 55 times the arithmetic."""
    climb = PretendedClimb([])
    climb.accept(climb.run((DOUBLE, 1e-16)), None)
    assert ladder._expected_seconds(climb, QUAD, 1e-32) == pytest.approx(1e-3 * 4.0 * 55.0)
    assert ladder._expected_seconds(climb, LONG_DOUBLE, 1e-16) == pytest.approx(1e-3 * 4.5)


def test_what_was_jumped_over_three_times_is_an_uncertified_reference(monkeypatch):
    climb, tried = PretendedClimb([]), []

    def jump(climb, digits):
        raise JumpedOverError(1.5, climb.run((DOUBLE, 1e-16)))

    climb.look_closer = lambda: tried.append("more nodes")
    climb.start_over = lambda: tried.append("shorter steps")
    monkeypatch.setattr(ladder, "_climb", jump)
    status = ladder._climb_seeing(climb, 12.0)
    assert tried == ["more nodes", "shorter steps"]
    assert status.startswith("uncertified: about t = 1.5 the vector field has a kink, a jump or a ")
