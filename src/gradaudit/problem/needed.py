"""How large an error of a gradient may be: what a step, a standard error, a sampler make of it.

All is measured by the information, G = F + D: F is the Fisher information of the likelihood, and
D = 12 / (upper - lower)^2 on the diagonal that of a uniform density between the bounds, so that a
parameter without information has a size as well. With G = R^T R an error d of the gradient has the
length ``|R^-T d|``, the root of d^T G^-1 d: how far it moves a Newton step, in standard errors. It
does not depend on the units of the parameters.

A step. With g the gradient, the Newton step has the length L = |R^-T g|. L-BFGS goes along H g,
with an H that begins as a multiple of the identity and tends to the inverse of G. The error changes
the first such step by |d| / |g| and the last by |R^-T d| / L, and the larger one counts. A step
that is shorter than `DONE` standard errors is one of a fit that has ended: it is compared with a
step of that length, and the first kind with nothing. H is taken as given: it is made of differences
of gradients, and what their errors make of it is not counted.

A sampler. Hamiltonian Monte Carlo with the mass matrix G moves by q' = v, p' = g + d(q). Where d is
a function of q, the leapfrog map keeps volumes and can be reversed, so that only the energy
changes: dH/dt = v d along the way. The velocities at one time are distributed as N(0, G^-1) and
independent of q, hence v d has the variance |R^-T d|^2, and by Minkowski's inequality the energy
error of a trajectory of length T has a standard deviation of at most T times the root mean square
of |R^-T d| over the posterior. If energies are those of the solver, its error e of the
log-likelihood adds e(end) - e(begin), as if it were unrelated to d. A normal energy error with the
standard deviation s has the mean s^2 / 2, since E[exp(-error)] = 1, and the acceptance
2 Phi(-s / 2). The leapfrog itself has s0, of the acceptance that the sampler is tuned to. Errors
need not be independent, so that s <= s0 + (that of d). The acceptance falls by the share `change`
at most if the latter is no larger than the difference of two such s. What is assumed: a mass matrix
near G, trajectories of T = pi / 2, the length of one independent draw from a normal posterior,
steps that are short enough for the exact flow to describe them, and a posterior that is near
normal.

Source: Neal, Handbook of MCMC (2011), chapter 5; Beskos et al., Bernoulli 19 (2013), 1501-1534, for
the acceptance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.special import ndtri

from gradaudit.errors import SettingError
from gradaudit.problem.definition import Parameters

Array = NDArray[np.float64]

DONE = 0.1
"""Standard errors: a fit whose next step is shorter has gained all but half the square of that."""

TRAJECTORY = math.pi / 2
ACCEPTANCE = 0.8


def widths(parameters: Parameters) -> Array:
    """The distance of the bounds, (K,); with one missing, twice the size of the nominal value."""
    reach = 2.0 * np.maximum(np.abs(np.nan_to_num(parameters.nominal)), 1.0)
    span = parameters.upper - parameters.lower
    return np.where(np.isfinite(span) & (span > 0.0), span, reach)


@dataclass(frozen=True)
class Metric:
    """Lengths in standard errors.

    Attributes
    ----------
    triangle
        R (K, K), upper triangular, with R^T R = F + D.
    """

    triangle: Array

    @classmethod
    def of(cls, rows: Array, width: Array) -> Metric:
        """From the rows A (N, K) of F = A^T A and the widths of the bounds (K,)."""
        below = np.diag(math.sqrt(12.0) / width)
        return cls(np.asarray(np.linalg.qr(np.concatenate([rows, below]), mode="r")))

    def length(self, gradient: Array) -> float:
        """``|R^-T g|``; NaN where the gradient (K,) is not finite."""
        if not np.all(np.isfinite(gradient)):
            return math.nan
        return float(np.linalg.norm(solve_triangular(self.triangle, gradient, trans="T")))

    def largest(self, bounds: Array) -> float:
        """The largest length of what is within bounds (K,), from above."""
        if not np.all(np.isfinite(bounds)):
            return math.inf
        inverse = solve_triangular(self.triangle, np.eye(len(self.triangle)))
        return float(np.linalg.norm(np.abs(inverse.T) @ bounds))

    def step(self, gradient: Array) -> Array:
        """The Newton step (F + D)^-1 g, (K,)."""
        half = solve_triangular(self.triangle, gradient, trans="T")
        found: Array = solve_triangular(self.triangle, half)
        return found

    def drawn(self, seed: int) -> Array:
        """A draw from N(0, (F + D)^-1), (K,)."""
        normal = np.random.default_rng(seed).standard_normal(len(self.triangle))
        found: Array = solve_triangular(self.triangle, normal)
        return found

    @property
    def weakest(self) -> float:
        """The length of the gradient, in its own unit, that any error needs for a length of 1."""
        return float(np.linalg.svd(self.triangle, compute_uv=False)[-1])


def step_change(metric: Metric, gradient: Array, wrong: Array) -> float:
    """By which share an error (K,) of a gradient (K,) changes a step of L-BFGS."""
    size, change = metric.length(gradient), metric.length(wrong)
    if size < DONE:
        return change / DONE
    return max(change / size, float(np.linalg.norm(wrong) / np.linalg.norm(gradient)))


def step_allows(metric: Metric, gradient: Array, change: float) -> float:
    """The relative error of a gradient that changes no step by more, whatever its direction."""
    size, norm = metric.length(gradient), float(np.linalg.norm(gradient))
    if not norm > 0.0:
        return math.nan
    allowed = change * max(size, DONE) * metric.weakest / norm
    return min(allowed, change) if size >= DONE else allowed


def energy_allowed(change: float, acceptance: float = ACCEPTANCE) -> float:
    """The standard deviation of the energy that an error may add, for a fall of the acceptance.

    Raises
    ------
    SettingError
        If one of them is not between 0 and 1.
    """
    for name, own in (("change", change), ("acceptance", acceptance)):
        if not 0.0 < own < 1.0:
            raise SettingError(f"{name} is {own!r}; it must be between 0 and 1.")
    before, after = (-2.0 * ndtri(a / 2.0) for a in (acceptance, (1.0 - change) * acceptance))
    return float(after - before)
