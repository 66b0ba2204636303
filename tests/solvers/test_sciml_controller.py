"""The step controller is not smooth in a parameter; the derivative on a frozen grid hardly notices.

The computed value J(p) jumps where an accepted step becomes a rejected one. Its difference quotient
differentiates the controller as well, forward AD does not. All with one compiled program: J is
x(10) of a damped pendulum, p its frequency.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

import gradaudit
from gradaudit.sensitivity.programs import program
from gradaudit.solvers.error_norm import Control
from gradaudit.solvers.options import StaticOptions, TracedOptions

MODEL = gradaudit.load_model("jagged_controller")
SOLVE = program(MODEL, StaticOptions(solver="tsit5"))
TIMES = np.array([10.0, 20.0])
GRID = np.linspace(1.9, 2.1, 41)
EXACT = 1e-10  # the tolerance of the curve to compare with


@dataclass(frozen=True)
class Curve:
    """J and the frozen-grid gradient on the grid of p, and the slope between neighbours."""

    values: NDArray[np.float64]
    gradients: NDArray[np.float64]

    @property
    def slopes(self) -> NDArray[np.float64]:
        return np.diff(self.values) / np.diff(GRID)

    @property
    def between(self) -> NDArray[np.float64]:
        """The gradient in the middle of two neighbours, as a mean."""
        return (self.gradients[1:] + self.gradients[:-1]) / 2


def at(p: float, rtol: float, steps: int = 0) -> tuple[float, float]:
    """J(p) and its frozen-grid gradient; `steps` equal steps if there are any."""
    control = Control(0.0, 0.0, 1.0, MODEL.parameter_scale[:1])
    raw, _, _ = SOLVE(
        TIMES,
        TracedOptions(rtol, 1e-3 * rtol, steps=float(steps)),
        control=control,
        columns=np.arange(1),
        p=[p, *MODEL.nominal[1:]],
    )
    return float(raw.states[0, 0]), float(raw.tangents[0, 0, 0] / MODEL.parameter_scale[0])


@cache
def curve(rtol: float, steps: int = 0) -> Curve:
    values, gradients = np.transpose([at(p, rtol, steps) for p in GRID])
    return Curve(values, gradients)


def changes_of_sign(slope) -> int:
    return int(np.sum(np.diff(np.sign(slope)) != 0))


def variation(slope) -> float:
    return float(np.sum(np.abs(np.diff(slope))))


@pytest.mark.slow
def test_true_slope_is_monotonic_enough_to_compare_with():
    exact = curve(EXACT)
    assert changes_of_sign(exact.slopes) == 0
    assert np.max(np.abs(exact.slopes - exact.between)) < 0.01 * np.max(np.abs(exact.slopes))


@pytest.mark.slow
def test_adaptive_solve_is_jagged():
    """At 1e-2: signs flip that the true slope does not have, by twenty times its variation."""
    jagged, exact = curve(1e-2), curve(EXACT)
    assert changes_of_sign(jagged.slopes) >= 4
    assert variation(jagged.slopes) > 10.0 * variation(exact.slopes)


def test_gradient_on_the_frozen_grid_is_smooth_along_p():
    """It has an error, that of the tolerance, but neither the flips nor the peaks."""
    jagged, exact = curve(1e-2), curve(EXACT)
    assert changes_of_sign(jagged.gradients) == 0
    assert variation(jagged.gradients) < 3.0 * variation(exact.gradients)
    worst_slope = np.max(np.abs(jagged.slopes - exact.slopes))
    worst_gradient = np.max(np.abs(jagged.gradients - exact.gradients))
    assert worst_slope > 5.0 * worst_gradient


def test_value_jumps_at_a_point():
    """Halving the interval leaves the jump: the quotient grows like the inverse of its step."""
    jagged = curve(1e-2)
    k = int(np.argmax(np.abs(jagged.slopes - jagged.between)))
    left, right = GRID[k], GRID[k + 1]
    below, above = at(left, 1e-2), at(right, 1e-2)
    first = abs(above[0] - below[0])
    for _ in range(30):
        middle = 0.5 * (left + right)
        centre = at(middle, 1e-2)
        if abs(centre[0] - below[0]) > abs(above[0] - centre[0]):
            right, above = middle, centre
        else:
            left, below = middle, centre
    jump = abs(above[0] - below[0])
    assert jump > 0.2 * first
    assert jump / (right - left) > 1e6 * np.max(np.abs(curve(EXACT).slopes))
    assert abs(above[1] - below[1]) < np.max(np.abs(curve(EXACT).gradients))


def test_on_equal_steps_both_derivatives_are_one():
    """To one per cent: the quotient is an average over the spacing of p."""
    equal = curve(1e-2, steps=200)
    assert changes_of_sign(equal.slopes) == 0
    size = np.max(np.abs(equal.gradients))
    assert np.max(np.abs(equal.slopes - equal.between)) < 0.01 * size


def test_jaggedness_falls_with_the_tolerance():
    """It is of the size of the error: at 1e-5 nothing of it is left on this grid."""
    fine, exact = curve(1e-5), curve(EXACT)
    assert variation(fine.slopes) < 1.2 * variation(exact.slopes)


def test_beyond_the_limit_of_stability_a_frozen_grid_is_no_remedy():
    """At 1e-1 the steps are too long for the tangents, and nothing controls those."""
    wild, exact = curve(1e-1), curve(EXACT)
    assert changes_of_sign(wild.slopes) >= 4
    assert np.max(np.abs(wild.gradients)) > 10.0 * np.max(np.abs(exact.gradients))
    assert np.median(np.abs(wild.gradients)) > np.median(np.abs(exact.gradients))
