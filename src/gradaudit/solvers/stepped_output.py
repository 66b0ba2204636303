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
from gradaudit.solvers.wrapper import WrappedSolver


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
        return y1, error, {"start": y0, "args": args}, state, result


class StepToObservation(diffrax.AbstractLocalInterpolation):
    """A step of `solver` from the beginning of a step of the grid to a time within it."""

    t0: ScalarLike
    t1: ScalarLike
    start: Any
    args: Any
    solver: diffrax.AbstractSolver
    term: diffrax.ODETerm

    def evaluate(self, t0: ScalarLike, t1: ScalarLike | None = None, left: bool = True) -> Any:
        del t1, left
        state = self.solver.init(self.term, self.t0, t0, self.start, self.args)
        reached, *_ = self.solver.step(self.term, self.t0, t0, self.start, self.args, state, False)
        return jtu.tree_map(lambda a, b: jnp.where(t0 == self.t0, a, b), self.start, reached)
