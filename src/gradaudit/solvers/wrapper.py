"""A diffrax solver around another one: what a wrapper inherits."""

from __future__ import annotations

from typing import Any

import diffrax


class WrappedSolver(diffrax.AbstractAdaptiveSolver):
    """Forwards everything to `solver`; a subclass says what it does otherwise.

    Attributes
    ----------
    solver
        The solver wrapped.
    """

    solver: diffrax.AbstractSolver

    term_structure = diffrax.ODETerm

    @property
    def interpolation_cls(self) -> Any:
        return self.solver.interpolation_cls

    def order(self, terms: Any) -> Any:
        return self.solver.order(terms)

    def error_order(self, terms: Any) -> Any:
        return self.solver.error_order(terms)

    def func(self, terms: Any, t0: Any, y0: Any, args: Any) -> Any:
        return self.solver.func(terms, t0, y0, args)

    def init(self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any) -> Any:
        return self.solver.init(terms, t0, t1, y0, args)

    def step(
        self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any, solver_state: Any, made_jump: Any
    ) -> Any:
        return self.solver.step(terms, t0, t1, y0, args, solver_state, made_jump)
