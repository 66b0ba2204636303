"""Observations by a step of the method itself, in place of its dense output.

Dense output has a lower order than the method, and steps clipped to the observation times make
another, finer grid. A step from the grid point before the observation has neither fault: it is as
accurate as the method, and the grid that the controller chose stays as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import diffrax
import jax.numpy as jnp
import jax.tree_util as jtu

from gradaudit.backend.shapes import Flag, ScalarLike
from gradaudit.solvers.root_finder import PatientChord
from gradaudit.solvers.wrapper import WrappedSolver

RUN_AWAY = 1e3
"""Times the values at the ends of a step."""


class SteppedOutput(WrappedSolver):
    """Wraps a solver so that `SaveAt(ts=...)` is served by steps.

    Attributes
    ----------
    solver
        Makes the steps of the grid.
    observer
        The same method, which makes the few steps that end at an observation.
    term
        What they integrate.
    """

    observer: diffrax.AbstractSolver
    term: diffrax.ODETerm

    @property
    def interpolation_cls(self) -> Callable[..., StepToObservation]:
        return functools.partial(StepToObservation, solver=self.observer, term=self.term)

    def init(self, terms: Any, t0: ScalarLike, t1: ScalarLike, y0: Any, args: Any) -> Any:
        return self.solver.init(self.term, t0, t1, y0, args)

    def step(
        self,
        terms: Any,
        t0: ScalarLike,
        t1: ScalarLike,
        y0: Any,
        args: Any,
        solver_state: Any,
        made_jump: bool | Flag,
    ) -> tuple[Any, Any, dict[str, Any], Any, Any]:
        y1, error, _, state, result = self.solver.step(
            self.term, t0, t1, y0, args, solver_state, made_jump
        )
        return y1, error, {"start": y0, "end": y1, "args": args}, state, result


class StepToObservation(diffrax.AbstractLocalInterpolation):
    """A step of `solver` from the beginning of a step of the grid to a time within it."""

    t0: ScalarLike
    t1: ScalarLike
    start: Any
    end: Any
    args: Any
    solver: diffrax.AbstractSolver
    term: diffrax.ODETerm

    def evaluate(self, t0: ScalarLike, t1: ScalarLike | None = None, left: bool = True) -> Any:
        del t1, left
        state = self.solver.init(self.term, self.t0, t0, self.start, self.args)
        reached, *_, result = self.solver.step(
            self.term, self.t0, t0, self.start, self.args, state, False
        )
        return observed(self, t0, where_solved(self, self.solver, result, reached))


def observed(step: Any, t: ScalarLike, reached: Any) -> Any:
    """What a step of the grid has at a time: at its ends what it begins and ends with."""

    def chosen(start: Any, reached: Any, end: Any) -> Any:
        return jnp.where(t == step.t0, start, jnp.where(t == step.t1, end, reached))

    return jtu.tree_map(chosen, step.start, reached, step.end)


def where_solved(step: Any, solver: Any, result: Any, reached: Any) -> Any:
    """What a step of `solver` to an observation reaches; NaN where it has not solved its stages.

    No controller rejects such a step. Root finders other than `PatientChord` also report a failure
    where they begin within rounding of the root, so that this alone says nothing of them; a value
    that has run away is far beyond those at both ends of the step of the grid.
    """
    failed = result != diffrax.RESULTS.successful
    meant = isinstance(_root_finder(solver), PatientChord)

    def kept(start: Any, reached: Any, end: Any) -> Any:
        largest = jnp.maximum(jnp.max(jnp.abs(start)), jnp.max(jnp.abs(end)))
        away = (jnp.max(jnp.abs(reached)) > RUN_AWAY * largest) & (largest > 0)
        return jnp.where(failed & (meant | away), jnp.nan, reached)

    return jtu.tree_map(kept, step.start, reached, step.end)


def _root_finder(solver: Any) -> Any:
    """That of the innermost solver; None where it has none."""
    while hasattr(solver, "solver"):
        solver = solver.solver
    return getattr(solver, "root_finder", None)
