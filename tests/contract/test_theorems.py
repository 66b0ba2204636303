"""Theorems on differentiated solvers, seen in numbers; each test states its tolerance's reason.

Programs are shared where one model, solver and number of times serve several tests: compiling is
what takes the time here. Observing by the interpolant at the end of steps compiles soonest.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import gradaudit
from gradaudit import Model
from gradaudit.sensitivity.programs import program
from gradaudit.solvers.error_norm import Control
from gradaudit.solvers.options import StaticOptions, TracedOptions
from gradaudit.solvers.radau import Radau
from gradaudit.solvers.radau_coefficients import radau
from gradaudit.solvers.registry import SOLVERS
from gradaudit.solvers.rosenbrock import Rosenbrock

LOGISTIC = gradaudit.load_model("logistic")
ENDS_OF_STEPS = np.linspace(1.0, 5.0, 5)


def _oscillator(t, y, p):
    """A pendulum with friction and a drive: nonlinear, neither stiff nor growing."""
    return jnp.stack([y[1], -p[0] * jnp.sin(y[0]) - p[1] * y[1] + jnp.cos(t)])


PENDULUM = Model(
    name="pendulum",
    vector_field=_oscillator,
    states={"angle": (1.0, "rad"), "speed": (0.0, "rad/s")},
    parameters={"k": (4.0, "1/s2"), "c": (0.3, "1/s")},
    t_end=6.0,
)
OBSERVED = np.array([0.0, 1.7, 4.0, 6.0])


def _relative(computed, certified):
    """Error over each parameter's largest sensitivity, the worst of all."""
    return np.max(np.abs(computed - certified) / np.max(np.abs(certified), axis=(0, 1)))


# Coarse enough to stay clear of rounding, fine enough for the leading term to dominate. The root
# finder of the implicit ones fails on longer steps; the other solvers are in test_solvers.py.
GRIDS = {
    "euler": (160, 320, 640),
    "midpoint": (160, 320, 640),
    "bosh3": (80, 160, 320),
    "tsit5": (80, 120, 160),
    "dopri8": (10, 15, 20, 25),
    "implicit_euler": (160, 320, 640),
    "kvaerno4": (80, 160, 320),
}


@pytest.mark.sampled(12)
@pytest.mark.parametrize("solver", GRIDS)
def test_tangents_have_the_order_of_the_method_on_a_fixed_grid(solver):
    """Walther 2007: AD of a Runge-Kutta method is that method on the sensitivity equation."""

    def exact(t):
        return jax.jacfwd(lambda p: LOGISTIC.exact_solution(t, p))(jnp.asarray(LOGISTIC.nominal))

    certified = np.stack([np.asarray(exact(t)) for t in ENDS_OF_STEPS])
    settings = {"rtol": 1e-5, "times": ENDS_OF_STEPS, "observe": "interpolant"}
    errors = []
    for steps in GRIDS[solver]:
        result = gradaudit.sensitivities(LOGISTIC, solver=solver, steps=steps, **settings)
        assert result.status == "ok"
        assert result.stats["steps"] == steps
        errors.append(np.linalg.norm(result.sensitivities - certified))
    order = -np.polyfit(np.log(GRIDS[solver]), np.log(errors), 1)[0]
    # What the next order still contributes at these steps.
    assert abs(order - SOLVERS[solver].order) < 0.15


@pytest.mark.slow
def test_discrete_adjoint_is_forward_ad():
    """One is the transpose of the other: the same products in another order, so 1e-12."""
    run = {"rtol": 1e-5, "times": OBSERVED}
    forward = gradaudit.sensitivities(PENDULUM, method="forward_ad", **run)
    reverse = gradaudit.sensitivities(PENDULUM, method="discrete_adjoint", **run)
    assert reverse.stats["steps"] == forward.stats["steps"]
    np.testing.assert_allclose(reverse.states, forward.states, rtol=1e-12)
    assert _relative(reverse.sensitivities, forward.sensitivities) < 1e-12
    assert _relative(reverse.integral_sensitivities, forward.integral_sensitivities) < 1e-12


@pytest.mark.slow
def test_frozen_grid_is_partial_control_for_an_explicit_method():
    """The tangent of an explicit step is the same step of the sensitivity equation."""
    run = {"rtol": 1e-5, "times": OBSERVED}
    frozen = gradaudit.sensitivities(PENDULUM, method="forward_ad", **run)
    partial = gradaudit.sensitivities(PENDULUM, method="forward_sensitivity_partial", **run)
    assert partial.stats["steps"] == frozen.stats["steps"]
    # Two programs of one arithmetic differ by rounding and by what it does to step sizes.
    assert _relative(partial.sensitivities, frozen.sensitivities) < 1e-10


@pytest.mark.slow
def test_full_control_does_not_depend_on_units_and_the_dual_norm_does():
    """One parameter in a unit 1e12 times as large."""

    def in_other_units(t, y, p):
        return PENDULUM.vector_field(t, y, p * jnp.array([1e12, 1.0]))

    other = replace(
        PENDULUM,
        vector_field=in_other_units,
        parameters={"k": (4e-12, "1/ps2"), "c": (0.3, "1/s")},
    )

    def difference(method):
        run = {"method": method, "rtol": 1e-5, "times": OBSERVED}
        a, b = (gradaudit.sensitivities(model, **run) for model in (PENDULUM, other))
        return _relative(b.sensitivities * [1e-12, 1.0], a.sensitivities)

    # 4e-12 * 1e12 is 4 to rounding, which then passes through the choice of steps.
    assert difference("forward_sensitivity") < 1e-10
    # A different grid: the difference is of the size of the error, far above rounding.
    assert difference("dual_norm") > 1e-7


@pytest.mark.parametrize("solver", [name for name in SOLVERS if SOLVERS[name].implicit])
def test_derivative_of_the_stability_function_vanishes_for_stiff_modes(solver):
    """|R'(z)| falls at least like 1/|z| (Fronk and Petzold 2025).

    For a rational R that is bounded at infinity it is 1/|z|^2; so z R'(z), which is p dy/dp for
    y' = p y, falls like 1/|z|, where the exact derivative falls exponentially.
    """
    rates = -np.array([1e3, 1e4, 1e5])
    slopes = np.log(np.abs([_slope_of_r(solver, z) for z in rates]))
    fitted = np.polyfit(np.log(-rates), slopes, 1)[0]
    assert fitted < -1.0
    assert fitted == pytest.approx(-2.0, abs=0.05)  # up to a relative 1/|z| at z = -1e3


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["implicit_euler", "kvaerno3"])
def test_one_step_has_the_derivative_of_the_stability_function(solver):
    """y' = p y, one step of length 1 from y = 1: y = R(p) and dy/dp = R'(p)."""
    model = Model(
        name="linear",
        vector_field=lambda t, y, p: p[0] * y,
        states={"y": (1.0, "")},
        parameters={"p": (-1.0, "")},
        t_end=1.0,
    )
    solve = program(model, StaticOptions(solver=solver, observe="interpolant"))
    control, one_step = Control(0.0, 0.0, 1.0, np.ones(1)), TracedOptions(1e-6, 1e-9, steps=1.0)
    for rate in (-1.0, -1e2, -1e4):
        raw, _, _ = solve([1.0], one_step, control=control, columns=[0], p=[rate])
        # Newton's method is exact for a linear problem; stages of size 1 cancel down to 1e-8.
        np.testing.assert_allclose(raw.tangents[0, 0, 0], _slope_of_r(solver, rate), rtol=1e-6)


def _slope_of_r(solver, z):
    """R'(z) = b (I - z A)^-2 1, from R(z) = 1 + z b (I - z A)^-1 1."""
    if issubclass(SOLVERS[solver].cls, Rosenbrock):
        return _slope_of_rosenbrock(SOLVERS[solver].cls.tableau, z)
    if issubclass(SOLVERS[solver].cls, Radau):
        a = np.linalg.inv(radau(SOLVERS[solver].cls.stages).inverse)
        b = a[-1]  # the last node is 1
    elif solver == "implicit_euler":
        a, b = np.ones((1, 1)), np.ones(1)
    else:
        tableau = SOLVERS[solver].cls.tableau
        b = tableau.b_sol
        a = np.diag(tableau.a_diagonal)
        for i, row in enumerate(tableau.a_lower):
            a[i + 1, : len(row)] = row
    inverse = np.linalg.inv(np.eye(len(b)) - z * a)
    return b @ inverse @ inverse @ np.ones(len(b))


def _slope_of_rosenbrock(tableau, z):
    """R'(z), where M u = gamma z 1 with M = (1 - gamma z) I - gamma (z a + C), and R = 1 + w u."""
    size, gamma = len(tableau.c), tableau.gamma
    a, c = np.zeros((size + 1, size)), np.zeros((size, size))
    for i, row in enumerate(tableau.a, 1):
        a[i, :i] = row
    for i in range(size - 2, size + 1):  # each begins where the stage before ended
        a[i] = a[i - 1]
        a[i, i - 1] = 1.0
    for i, row in enumerate(tableau.C, 1):
        c[i, :i] = row
    inverse = np.linalg.inv((1.0 - gamma * z) * np.eye(size) - gamma * (z * a[:size] + c))
    u = inverse @ np.full(size, gamma * z)
    return a[size] @ inverse @ (gamma + gamma * (u + a[:size] @ u))


@pytest.mark.slow
def test_growth_along_a_limit_cycle_is_that_of_the_phase():
    """Wilkins et al. 2009: S = -(t/T)(dT/dp) y' + a periodic part.

    The period of van der Pol's oscillator and its derivative are SciPy's, by crossings of zero and
    a central difference.
    """

    def field(t, y, p):
        return jnp.stack([y[1], p[0] * (1.0 - y[0] ** 2) * y[1] - y[0]])

    def period(mu):
        def crossing(t, y):
            return y[0]

        crossing.direction = 1.0
        crossings = solve_ivp(
            lambda t, y: [y[1], mu * (1.0 - y[0] ** 2) * y[1] - y[0]],
            (0.0, 60.0), [2.0, 0.0], method="DOP853", rtol=1e-12, atol=1e-13, events=crossing,
        ).t_events[0]  # fmt: skip
        return (crossings[-1] - crossings[3]) / (len(crossings) - 4)

    length, change = period(1.0), (period(1.0 + 1e-4) - period(1.0 - 1e-4)) / 2e-4
    times = (np.arange(4, 10) + 0.25) * length  # one phase; transients have decayed by exp(-28)
    model = Model(
        name="van_der_pol",
        vector_field=field,
        states={"x": (2.0, ""), "v": (0.0, "")},
        parameters={"mu": (1.0, "")},
        t_end=float(times[-1]),
    )
    run = gradaudit.sensitivities(model, method="forward_sensitivity", rtol=1e-10, times=times)
    slope = np.polyfit(times, run.sensitivities[:, :, 0], 1)[0]
    rate = np.asarray(field(0.0, run.states[-1], [1.0]))
    # The difference quotient of the period is good to 1e-7.
    np.testing.assert_allclose(slope, -change / length * rate, rtol=1e-6)


@pytest.mark.slow
def test_growth_along_a_chaotic_trajectory_is_that_of_the_lyapunov_exponent():
    """0.906 for Lorenz's equations. Over 150 time units growth still fluctuates by about 0.02.

    The first 20 are left out: from (1, 1, 1) the trajectory stays with one unstable focus until
    about t = 15, and S grows at half the rate.
    """
    times = np.linspace(0.0, 180.0, 91)
    lorenz = replace(gradaudit.load_model("lorenz"), t_end=180.0)
    settings = {"rtol": 1e-9, "times": times, "observe": "interpolant"}
    run = gradaudit.sensitivities(lorenz, method="forward_sensitivity", **settings)
    late = times >= 20.0
    size = np.log(np.linalg.norm(run.sensitivities[late].reshape(late.sum(), -1), axis=1))
    exponent = np.polyfit(times[late], size, 1)[0]
    assert exponent == pytest.approx(0.906, abs=0.06)
