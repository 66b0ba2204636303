"""One element: the collocation polynomial of states, integrals and all their sensitivities.

The unknowns are the increments Z (s, n) of the states from the start of the element, which solve
A^-1 Z = h f(y0 + Z) at the s points. The matrix of Newton's method is built and factorised in
double. The residuals are computed in the target precision, so that each iteration is a step of
iterative refinement and gains what double resolves. The increments W (s, n, c) of the sensitivities
solve A^-1 W = h (f_y (S0 + W) + f_p), a linear system with the same matrix: they are exactly the
derivatives of the collocation solution.

Rates and Jacobians are rounded too, and by much more than a unit where their formulas cancel. That
noise is not smooth and so has a part in every Legendre coefficient, which no shorter element makes
smaller. It is measured: as what the same formulas in a witness, another precision, change in the
increments, scaled by the ratio of the two precisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.collocation.factors import Elements, Factors
from gradaudit.certification.collocation.products import Blocks, along_points, cast, product
from gradaudit.certification.collocation.radau import Radau
from gradaudit.certification.collocation.scales import Scales
from gradaudit.certification.collocation.vector_field import VectorField
from gradaudit.certification.heyoka.precision import Precision, to_float64

Array = NDArray[Any]
Float = NDArray[np.float64]

MOST_ITERATIONS = 14
FRESH = 1e-6
"""A matrix that was built where the correction was smaller serves the sensitivities as well."""

SLOW = 1e-3
"""Of a contraction per iteration: with less, the matrix is built again."""

STAGNANT, ROUGHEST = 0.2, 1e-3
"""Where corrections with a new matrix stop falling they are noise, if they are smaller than that.

States that begin at 0 are measured by sizes at which the rounding of larger states shows.
"""

UNEXPLAINED = 3.0
"""How many times the measured rounding a residual may be."""

RESOLVED = 8.0
"""Corrections of so many units of rounding are converged."""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What all elements of a solve share.

    Attributes
    ----------
    rough, fine, witness
        The vector field in double, in the target precision and in another precision than that.
    parameters
        Of the target precision, (m,).
    columns
        With respect to which of them sensitivities are computed, (c,).
    """

    method: Radau
    rough: VectorField
    fine: VectorField
    witness: VectorField
    parameters: Array
    columns: NDArray[np.int64]

    @property
    def ratio(self) -> float:
        """Of the rounding of the target precision to that of the coarser of it and the witness."""
        return self.precision.eps / max(self.precision.eps, self.witness.precision.eps)

    @property
    def precision(self) -> Precision:
        return self.fine.precision

    @cached_property
    def elements(self) -> Elements:
        """What factorises the matrices of elements."""
        field = self.rough
        own = (field.rows < field.n) & (field.columns < field.n)
        return Elements(
            np.asarray(self.method.derivative64), field.n, field.rows[own], field.columns[own]
        )

    @cached_property
    def pattern(self) -> NDArray[np.bool_]:
        """Where f_y may differ from zero, (n, n)."""
        pattern = np.zeros((self.rough.n, self.rough.n), dtype=bool)
        pattern[self.elements.rows, self.elements.columns] = True
        return pattern

    def points(self, t: Array, y: Array) -> Array:
        """Arguments of the fields at K points, (1 + n + m, K)."""
        m = len(self.parameters)
        points: Array = np.empty((1 + self.fine.n + m, len(y)), dtype=self.precision.fp_type)
        points[0], points[1 : 1 + self.fine.n] = t, y.T
        points[1 + self.fine.n :] = self.parameters[:, None]
        return points

    def stiffness_of(self, points: Array) -> Float:
        """The largest sum of a row of |f_y| at some of the points, (n,)."""
        some = to_float64(points[:, :: max(points.shape[1] // self.method.s, 1)])
        by_state = self.rough.dense(self.rough.slopes(some))[0][:, : self.rough.n]
        return np.asarray(np.abs(by_state).sum(axis=2).max(axis=0))


@dataclass(frozen=True, kw_only=True)
class Increments:
    """An element that was solved.

    Attributes
    ----------
    points, cast
        The arguments of the fields at the points, in the target precision and for the witness;
        the latter with times and states that are moved by their rounding level.
    values
        Increments of states and integrals at the points, (s, N).
    noise
        Their rounding level, (N,).
    """

    points: Array
    cast: Array
    values: Array
    noise: Float
    system: System


class System:
    """The matrix of an element, factorised in double with states measured by their scales."""

    def __init__(self, tools: Tools, h: float, scale: Float) -> None:
        self.tools, self.h, self.scale = tools, h, scale
        self.factors: Factors | None = None
        self.integrand_slopes: Float = np.zeros((0, 0))  # the largest, (k, n)
        self.state_slopes: Float = np.zeros((0, 0))  # likewise, (n, n)

    def factorise(self, points: Float, scale: Float) -> bool:
        """Build the matrix at the points, for sizes (n,); whether it is finite and regular."""
        self.scale = scale
        n = self.tools.rough.n
        whole, _ = self.tools.rough.dense(self.tools.rough.slopes(points))
        largest = np.abs(whole).max(axis=0)
        self.state_slopes, self.integrand_slopes = largest[:n], largest[n:]
        slopes = whole[:, :n] * (self.scale / self.scale[:, None])
        if not np.isfinite(slopes).all():
            return False
        self.factors = self.tools.elements.factorise(self.h, slopes)
        return self.factors is not None

    def correct(self, residual: Array) -> Float:
        """What to subtract for a residual (s, n) or (s, n, c)."""
        s, n = residual.shape[:2]
        spread = self.scale[:, None]
        right = to_float64(residual).reshape(s, n, -1) / spread
        assert self.factors is not None
        found = self.factors.solve(right.reshape(s * n, -1))
        return np.asarray((found.reshape(s, n, -1) * spread).reshape(residual.shape))


def solve_states(
    tools: Tools, t: Any, h: Any, y: Array, guess: Array, scales: Scales
) -> Increments | None:
    """Newton's method from a guess (s, n) of the increments; None if it does not converge.

    Parameters
    ----------
    t, h, y
        Start and length of the element, and states and integrals (N,) at its start.
    scales
        Natural sizes, by which convergence is judged.
    """
    method, n = tools.method, tools.fine.n
    step = float(h)
    system = System(tools, step, scales.states[:n])
    times = t + method.nodes * h
    increments, before, size, stuck = guess, np.inf, np.inf, 0
    enough = RESOLVED * tools.precision.eps
    whole = np.zeros(tools.fine.size)
    for iteration in range(MOST_ITERATIONS):
        points = tools.points(times, y[:n] + increments)
        rates = tools.fine.rates(points)
        residual = product(method.derivative, increments) - h * rates[:, :n]
        fresh = iteration == 0 or size > SLOW * min(before, 1.0)
        if fresh:
            # what begins at 0 is measured by what it becomes, as in the convergence test below
            moved = np.abs(to_float64(increments)) + step * np.abs(to_float64(rates[:, :n]))
            whole[:n] = np.abs(to_float64(y[:n])) + moved.max(axis=0)
            if not system.factorise(to_float64(points), scales.with_states(whole).states[:n]):
                return None
        correction = system.correct(residual)
        before = size
        increments = increments - correction
        whole[:n] = np.abs(to_float64(y[:n] + increments)).max(axis=0)
        size = float(np.max(np.abs(correction) / scales.with_states(whole).states[:n]))
        if not np.isfinite(size) or (iteration > 3 and size > 4.0 * before > 0.1):
            return None
        stuck = stuck + 1 if fresh and STAGNANT * before < size < ROUGHEST else 0
        if size <= enough or stuck == 2:
            break
        if before > FRESH >= size:  # the Jacobian of the solution itself, for the sensitivities
            points = tools.points(times, y[:n] + increments)
            if not system.factorise(to_float64(points), scales.with_states(whole).states[:n]):
                return None
    else:
        return None
    points = tools.points(times, y[:n] + increments)
    rates = tools.fine.rates(points)
    integrals = h * product(method.integral, rates[:, n:])
    rounded = cast(_at_other_times(tools, points, step), tools.witness.precision)
    rounding = to_float64(rates) - to_float64(tools.witness.rates(rounded))
    if tools.witness is not tools.fine:
        residual = product(method.derivative, increments) - h * rates[:, :n]
        natural = scales.with_states(whole).states[:n]
        level = _residual_level(tools, system, increments, natural, rounding[:, :n])
        if not np.all(np.abs(to_float64(residual)) <= UNEXPLAINED * level):
            return None
    noise = np.zeros(tools.fine.size)
    carried = system.correct(step * rounding[:, :n])
    noise[:n] = np.maximum(
        np.abs(correction).max(axis=0), tools.ratio * np.abs(carried).max(axis=0)
    )
    noise[n:] = step * (
        tools.ratio * np.abs(rounding[:, n:]).max(axis=0) + system.integrand_slopes @ noise[:n]
    )
    # the Jacobians are those of states that are rounded
    wobble = np.maximum(noise[:n], tools.precision.eps * np.abs(to_float64(points[1 : n + 1].T)))
    wobble = _signs(wobble.shape) * wobble / tools.ratio
    rounded[1 : n + 1] = rounded[1 : n + 1] + cast(wobble.T, tools.witness.precision)
    return Increments(
        points=points,
        cast=rounded,
        values=np.concatenate([increments, integrals], axis=1),
        noise=noise,
        system=system,
    )


def _at_other_times(tools: Tools, points: Array, step: float) -> Array:
    """The points with times that are moved by their rounding level, towards the middle.

    So they stay within the element, and between two switches in time. Of a pulse that begins long
    after t = 0 its first moments are known to the few digits that rounding leaves of the time.
    """
    level = np.abs(to_float64(points[0])) * (tools.precision.eps / tools.ratio)
    inwards = np.where(tools.method.nodes64 < 0.5, 1.0, -1.0)
    moved = points.copy()
    moved[0] = points[0] + tools.precision.array(inwards * np.minimum(level, step / 4.0))
    return moved


def _residual_level(
    tools: Tools, system: System, increments: Array, natural: Float, rounding: Float
) -> Float:
    """What rounding, and a correction that is as good as none, leave of a residual, (s, n).

    Corrections alone do not show convergence: with a matrix that is far from the true one they are
    small, or fall no further, where the equations do not hold.

    Parameters
    ----------
    natural
        Sizes of the states, (n,).
    rounding
        Of the rates at the points, in the coarser of the target precision and the witness, (s, n).
    """
    unit, step = RESOLVED * tools.precision.eps, system.h
    moved = np.abs(to_float64(increments)) + natural
    through_rates = step * (system.state_slopes @ natural + tools.ratio * _worst(rounding) / unit)
    return np.asarray(unit * (np.abs(tools.method.derivative64) @ moved + through_rates))


def _worst(rounding: Float) -> Float:
    """The largest of each state, since one sample may be small by luck."""
    return np.asarray(np.abs(rounding).max(axis=0))


@cache
def _signs(shape: tuple[int, ...]) -> Float:
    """Random signs, the same ones always."""
    return np.where(np.random.default_rng(7).random(shape) < 0.5, -1.0, 1.0)


def solve_sensitivities(
    tools: Tools, h: Any, start: Array, solved: Increments, scales: Scales
) -> tuple[Array, Float] | None:
    """Increments of the sensitivities (s, N, m) and their rounding level (N, c).

    Parameters
    ----------
    start
        The sensitivities (N, c) at the start of the element.
    scales
        Natural sizes, by which convergence is judged.
    """
    n, fine = tools.fine.n, tools.fine
    method, system, step = tools.method, solved.system, float(h)
    by_state, by_parameter = fine.dense(fine.slopes(solved.points))
    by_parameter = by_parameter[..., tools.columns]
    inner, forcing = by_state[:, :n], by_parameter[:, :n]
    blocks = Blocks(inner, tools.pattern)
    # the first iteration starts from increments that are 0, so double suffices for its residual
    first = step * (to_float64(inner) @ to_float64(start[:n]) + to_float64(forcing))
    found = fine.precision.array(system.correct(first))
    enough, before = RESOLVED * fine.precision.eps, np.inf
    for _ in range(MOST_ITERATIONS):
        total = start[:n] + found
        residual = along_points(method.derivative, found) - h * (blocks.times(total) + forcing)
        correction = system.correct(residual)
        found = found - correction
        entries = np.zeros((fine.size, len(tools.columns)))
        entries[:n] = np.abs(to_float64(start[:n] + found)).max(axis=0)
        natural = scales.with_sensitivities(entries).natural[:n]
        size = float(np.max(np.abs(correction) / natural, initial=0.0))
        if not np.isfinite(size) or size > 1e3 * before:
            return None
        if size <= enough or size > 0.3 * before:
            break
        before = size
    else:
        return None
    if size > 1e6 * enough:
        return None
    whole = start[:n] + found
    integrals = h * along_points(
        method.integral, product(by_state[:, n:], whole) + by_parameter[:, n:]
    )
    coarse = tools.witness.dense(tools.witness.slopes(solved.cast))
    seen = to_float64(by_state) - to_float64(coarse[0])
    rounding = seen @ to_float64(whole) + (
        to_float64(by_parameter) - to_float64(coarse[1][..., tools.columns])
    )
    carried = system.correct(step * rounding[:, :n])
    noise = np.zeros((fine.size, len(tools.columns)))
    noise[:n] = np.maximum(
        np.abs(correction).max(axis=0), tools.ratio * np.abs(carried).max(axis=0)
    )
    noise[n:] = step * (
        tools.ratio * np.abs(rounding[:, n:]).max(axis=0) + system.integrand_slopes @ noise[:n]
    )
    return np.concatenate([found, integrals], axis=1), noise
