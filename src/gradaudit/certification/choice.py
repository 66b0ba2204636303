"""Which method a reference begins with, by a cheap look at the problem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradaudit.certification.climb import Climb
from gradaudit.certification.collocation.rungs import Collocation
from gradaudit.certification.heyoka.precision import DOUBLE
from gradaudit.certification.variational import Solution
from gradaudit.errors import TranslationError

TAYLOR, COLLOCATION = "taylor", "collocation"

POINTS = 40
"""At so many of the observation times the Jacobian is looked at."""

STABLE = 8.0
"""Length of a Taylor step in double precision, times the fastest rate, at which it is stable."""

STIFF = 20.0
"""Taylor steps for stability, per element of the look, from which on collocation is faster."""

HOPELESS = 1e5
"""Taylor steps for stability from which on another method than collocation is no way out."""

LARGE = 60
"""States and sensitivities n (m + 1), from which on compiling Taylor series takes longer."""

COMPILED = 100.0
"""States and sensitivities whose Taylor series are compiled in a second, at least.

Nothing interrupts the compiler: it was at 78 000 of them 13 minutes after a time limit. On a busy
core 2460 took 6 s.
"""

SOON = 20.0
"""Seconds of compilation that the Taylor method may take in any case, as the second one."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The method to begin with, and why.

    Attributes
    ----------
    method
        "taylor" or "collocation".
    collocation
        The other one or this one, ready to run; None where the model is not for it.
    scout
        Its first solve.
    hopeless
        Whether the Taylor method would take too many steps to be of any help.
    steps
        How many it would take.
    compiling
        Seconds that have to be left for the other method, to compile.
    """

    method: str
    why: str
    hopeless: bool = False
    steps: float = 0.0
    compiling: float = 0.0
    collocation: Collocation | None = None
    scout: Solution | None = None


def choose(climb: Climb) -> Choice:
    """Solve the states roughly by collocation, and compare the fastest rate with the elements.

    The climb is used for its model, its times and its limit; rungs are noted in it.
    """
    model = climb.model
    collocation = Collocation(climb)
    try:
        scout = collocation.scout()
    except TranslationError:  # which the Taylor method reports, or handles
        return Choice(method=TAYLOR, why="the vector field is not smooth")
    if scout.status != "ok":
        return Choice(method=TAYLOR, why=f"collocation in double precision: {scout.status}")
    steps = explicit_steps(collocation, scout)
    size = model.n * (model.m + 1)
    compared = f"{steps:.2g} Taylor steps for stability, {scout.steps} elements"
    if steps > STIFF * scout.steps:
        method, why = COLLOCATION, f"stiff: {compared}"
    elif size >= LARGE:
        method, why = COLLOCATION, f"large: {size} states and sensitivities"
    else:
        method, why = TAYLOR, f"not stiff: {compared}"
    return Choice(
        method=method,
        why=why,
        hopeless=method == COLLOCATION and steps > HOPELESS,
        steps=steps,
        compiling=size / COMPILED if method == COLLOCATION and size > SOON * COMPILED else 0.0,
        collocation=collocation,
        scout=scout,
    )


def explicit_steps(collocation: Collocation, scout: Solution) -> float:
    """About how many steps an explicit Taylor method needs to be stable along a solution."""
    model, compiler = collocation.climb.model, collocation.compiler
    times = scout.times
    chosen = np.unique(np.linspace(0, len(times) - 1, POINTS).astype(int))
    states = scout.float64()[0][chosen, : model.n]
    points = np.empty((1 + model.n + model.m, len(chosen)))
    points[0], points[1 : 1 + model.n] = times[chosen], states.T
    points[1 + model.n :] = model.nominal[:, None]
    by_state = np.empty((len(chosen), model.n, model.n))
    modes = [scout.row_modes[row] if scout.row_modes else () for row in chosen]
    for mode in set(modes):
        own = np.array([mode == other for other in modes])
        field = compiler.field(DOUBLE, mode)
        by_state[own] = field.dense(field.slopes(points[:, own]))[0][:, : model.n]
    finite = np.isfinite(by_state).all(axis=(1, 2))
    if not finite.any():
        return 0.0
    rates = np.abs(np.linalg.eigvals(by_state[finite])).max(axis=1, initial=0.0)
    where = times[chosen][finite]
    if len(where) == 1:
        return float(rates[0] * model.t_end / STABLE)
    return float(np.trapezoid(rates, where) / STABLE)
