"""Published sensitivities, right and wrong, and the right ones beside them.

Three sources. Each number is as printed there; what it should be is a closed form or the certified
reference.

- LLNL, SUNDIALS, examples/cvodes/serial/cvsRoberts_FSA_dns_-sensi_sim_t.out: Robertson's reactions
  by CVODES, simultaneous corrector, full error control, rtol 1e-4, atol (1e-8, 1e-14, 1e-6).
- F. Sapienza et al., Differentiable programming for differential equations: a review,
  arXiv:2406.09699 (2024), section 4.1.2.4, with its code in ODINN-SciML/DiffEqSensitivity-Review,
  code/SensitivityForwardAD/testgradient_python.py: diffrax's forward mode off an equilibrium.
- SciML/SciMLSensitivity.jl, issue 273 (8 June 2020), "Wrong gradient for some sensealgs": the sum
  over a trace of Lotka and Volterra's equations at their equilibrium, by dual numbers whose
  partials took no part in the error test. They do since SciML/DiffEqBase.jl, pull request 529,
  which says that it mends this issue: the norm of "dual_norm" was made for it.
"""

from __future__ import annotations

from functools import cache

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Event, Model
from gradaudit.sensitivity.programs import program
from gradaudit.solvers.error_norm import Control
from gradaudit.solvers.options import StaticOptions, TracedOptions

# Robertson's reactions: t, states, and a row of sensitivities to each of p1, p2, p3. The program's
# p2 is the rate of B + C and its p3 that of 2 B; in the library they are k3 and k2.
CVODES = {
    0.4: (
        [9.8517e-01, 3.3864e-05, 1.4794e-02],
        [-3.5595e-01, 3.9025e-04, 3.5556e-01],
        [9.5431e-08, -2.1309e-10, -9.5218e-08],
        [-1.5833e-11, -5.2900e-13, 1.6362e-11],
    ),
    4.0: (
        [9.0552e-01, 2.2405e-05, 9.4459e-02],
        [-1.8761e00, 1.7922e-04, 1.8759e00],
        [2.9614e-06, -5.8305e-10, -2.9608e-06],
        [-4.9334e-10, -2.7626e-13, 4.9362e-10],
    ),
    40.0: (
        [7.1583e-01, 9.1856e-06, 2.8416e-01],
        [-4.2475e00, 4.5913e-05, 4.2475e00],
        [1.3731e-05, -2.3573e-10, -1.3730e-05],
        [-2.2883e-09, -1.1380e-13, 2.2884e-09],
    ),
}
LATE = {
    4.0e8: (5.2092e-06, -2.6049e-04, 1.0419e-09, -1.7362e-13),
    4.0e9: (5.1691e-07, -2.5902e-05, 1.0361e-10, -1.7230e-14),
    4.0e10: (5.5845e-08, -2.6510e-06, 1.0604e-11, -1.8615e-15),
}
"""Of the first species alone: its fraction, and the sensitivities to p1, p2, p3."""


def test_cvodes_is_right_on_robertson_while_the_reactions_are_fast():
    """To 2e-4 of each number, about its tolerance; most of them to all digits printed."""
    times = list(CVODES)
    found = gradaudit.reference("robertson", times=times, digits=8.0)
    assert found.status == "ok"
    errors = []
    for row, (states, *slopes) in enumerate(CVODES.values()):
        exact = [found.states[row], *found.sensitivities[row].T[[0, 2, 1]]]
        errors += [np.abs(a / b - 1.0) for a, b in zip([states, *slopes], exact, strict=True)]
    assert np.max(errors) < 3e-4
    assert np.max(errors[:3]) < 1e-4
    assert np.median(errors) < 2e-5


def test_cvodes_loses_robertson_when_little_is_left():
    """At t = 4e10 the state is 7 per cent off, and the sensitivities by 2 and by 7.

    There A' = -p3 (p1/p2)^2 A^2 holds to 1e-5, so that A = p2^2 / (p1^2 p3 t). It is below the
    absolute tolerance of 1e-8 over the relative one, and nothing controls it any more.
    """
    p1, p2, p3 = 0.04, 1e4, 3e7
    relative = {}
    for t, printed in LATE.items():
        a = p2**2 / (p1**2 * p3 * t)
        exact = (a, -2.0 * a / p1, 2.0 * a / p2, -a / p3)
        relative[t] = np.abs(np.divide(printed, exact) - 1.0)
    assert np.max(relative[4.0e8]) < 1e-3
    assert np.all((relative[4.0e9] > 5e-3) & (relative[4.0e9] < 1e-2))
    np.testing.assert_allclose(relative[4.0e10], [0.072, 0.018, 0.018, 0.072], atol=1e-3)


# x' = x - y, y' = y - x from (1, 1), T = 5: dx/dx0 = (1 + exp(2 T)) / 2.
EXACT = (1.0 + np.exp(10.0)) / 2.0
FORWARD_MODE = (3755.79674193, -3754.79674193)
"""diffrax's forward and reverse mode, at the tolerances 1e-3 and 1e-12 alike."""

BACKSOLVE = (11013.73289742, -11012.73289742)
QUOTIENT = 11013.73156938
"""A one-sided difference quotient with the step 1e-6, at the tolerance 1e-12."""

SADDLE = Model(
    name="saddle",
    vector_field=lambda t, y, p: jnp.stack([y[0] - y[1], y[1] - y[0]]),
    states={"x": (1.0, "1"), "y": (1.0, "1")},
    parameters={"x0": (1.0, "1"), "y0": (1.0, "1")},
    initial_state=lambda p: p,
    t_end=5.0,
    time_unit="1",
)


def by_diffrax(start, tolerance: float):
    """x(5) as the published code computes it, but for the name of the adjoint."""
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, args: SADDLE.vector_field(t, y, None)),
        diffrax.Tsit5(),
        t0=0,
        t1=5.0,
        dt0=0.1,
        y0=start,
        adjoint=diffrax.ForwardMode(),
        stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance),
    )
    return solution.ys[-1, 0]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("tolerance", [1e-3, 1e-12])
def test_forward_mode_of_diffrax_is_wrong_by_the_published_numbers(tolerance):
    """Reproduced to all twelve digits, at either tolerance; the truth is three times as much."""
    slope = jax.jit(jax.jacfwd(lambda y0: by_diffrax(y0, tolerance)))(jnp.ones(2))
    np.testing.assert_allclose(slope, FORWARD_MODE, rtol=1e-11)
    assert abs(slope[0] / EXACT - 1.0) > 0.6


def test_reference_has_what_was_published_as_right():
    found = gradaudit.reference(SADDLE, times=[5.0], digits=10.0)
    np.testing.assert_allclose(found.sensitivities[0, 0], [EXACT, 1.0 - EXACT], rtol=1e-10)
    np.testing.assert_allclose(BACKSOLVE, [EXACT, 1.0 - EXACT], rtol=1e-11)  # all digits printed
    # the quotient's own error: rounding over its step
    assert 1e-8 < abs(QUOTIENT / EXACT - 1.0) < 1e-6


def test_control_of_the_tangents_finds_it_and_forward_ad_does_not():
    for rtol in (1e-4, 1e-6, 1e-8):
        first = {
            method: gradaudit.sensitivities(
                SADDLE, method=method, rtol=rtol, times=[5.0]
            ).sensitivities[0, 0, 0]
            for method in ("forward_ad", "forward_sensitivity")
        }
        assert abs(first["forward_ad"] / EXACT - 1.0) > 0.1
        assert abs(first["forward_sensitivity"] / EXACT - 1.0) < 100.0 * rtol


# u' = a u - u v, v' = -a v + u v from (1, 1), a = p1, p2, p3, p4 before t = 1, 2, 3, and after; all
# are 1, an equilibrium. J is the sum of u + v over t = 0, 0.1, ..., 4.
DUAL_NUMBERS = (29.75558216432594, 10.206643764088701, 53.37700890093469, 3.5509327396481574)
"""By `ForwardDiffSensitivity`."""

EQUATIONS = (33.975936715110464, 39.48130754134167, 18.942236116902354, 4.377628387002488)
"""By `ForwardSensitivity`, at SciML's default tolerances."""


def _switched(t, y, p):
    a = jnp.where(t <= 1.0, p[0], jnp.where(t <= 2.0, p[1], jnp.where(t <= 3.0, p[2], p[3])))
    return jnp.stack([a * y[0] - y[0] * y[1], -a * y[1] + y[0] * y[1]])


def _at(time: float) -> Event:
    return Event(when=lambda t, y, p: t - time, direction=1)


SWITCHED = Model(
    name="switched",
    vector_field=_switched,
    states={"u": (1.0, "1"), "v": (1.0, "1")},
    parameters={f"p{k}": (1.0, "1") for k in (1, 2, 3, 4)},
    events={f"switch_{k}": _at(float(k)) for k in (1, 2, 3)},
    t_end=4.0,
    time_unit="1",
    observations=41,
)


@cache
def exact_sums() -> np.ndarray:
    """z = du + i dv obeys z' = i z + (1 - i) while its parameter is in force, then z' = i z."""
    sums = np.zeros(4)
    for k in range(4):
        for t in SWITCHED.times():
            first, last = min(t, k), min(t, k + 1)
            z = (1.0 + 1.0j) * (np.exp(1j * (t - last)) - np.exp(1j * (t - first)))
            sums[k] += z.real + z.imag
    return sums


SCIML = StaticOptions(solver="tsit5", observe="interpolant", max_steps=10_000, stepping="sciml")


def by_dual_numbers(partials: float) -> np.ndarray:
    """SciML's Tsit5 with dense output at its default tolerances; `partials` 1: in the norm."""
    raw, _, _ = program(SWITCHED, SCIML)(
        SWITCHED.times(),
        TracedOptions(1e-3, 1e-6),
        control=Control(0.0, partials, 4.0, SWITCHED.parameter_scale),
        columns=np.arange(4),
    )
    return np.sum(raw.tangents[:, :2], axis=(0, 1))


@pytest.mark.slow
def test_reference_of_the_switched_equilibrium_is_its_closed_form():
    found = gradaudit.reference(SWITCHED, digits=10.0)
    np.testing.assert_allclose(np.sum(found.sensitivities, axis=(0, 1)), exact_sums(), rtol=1e-10)


@pytest.mark.slow
def test_dual_numbers_outside_the_norm_give_the_published_wrong_gradient():
    """To 1e-4 of it, while it is wrong by factors of three."""
    found = by_dual_numbers(partials=0.0)
    np.testing.assert_allclose(found, DUAL_NUMBERS, rtol=1e-4)
    wrong = np.array(DUAL_NUMBERS) / exact_sums()
    assert wrong[1] < 0.3
    assert wrong[2] > 2.7


@pytest.mark.slow
def test_dual_numbers_inside_the_norm_mend_it():
    """At the same tolerance of 1e-3: 4 per cent are left."""
    found = by_dual_numbers(partials=1.0)
    np.testing.assert_allclose(found, exact_sums(), rtol=0.04)


@pytest.mark.slow
def test_sensitivity_equations_were_published_with_an_error_of_their_tolerance():
    """It has the same equations at a tolerance of 1e-3; at 1e-8 they are right."""
    error = np.abs(np.array(EQUATIONS) / exact_sums() - 1.0)
    assert 0.1 < np.max(error) < 0.25
    tight = gradaudit.sensitivities(SWITCHED, method="forward_sensitivity", rtol=1e-8)
    np.testing.assert_allclose(np.sum(tight.sensitivities, axis=(0, 1)), exact_sums(), rtol=1e-4)


HIRES = [
    0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4, 0.1175651343283149e-2,
    0.2386356198831331e-2, 0.6238968252742796e-2, 0.2849998395185769e-2, 0.2850001604814231e-2,
]  # fmt: skip
"""At t = 321.8122: F. Mazzia, C. Magherini, Test Set for IVP Solvers, release 2.4, 2008, II-1."""


@pytest.mark.slow
def test_the_published_end_of_hires_to_all_its_digits():
    """They were found by RADAU in quadruple precision; the last of 16 digits is rounded."""
    found = gradaudit.reference("hires", times=[321.8122], digits=10.0)
    assert found.status == "ok"
    assert found.rungs[-1]["method"].startswith("collocation")
    assert np.allclose(found.states[0], HIRES, rtol=2e-15, atol=0.0)
