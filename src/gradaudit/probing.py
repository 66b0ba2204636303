"""The propagated error along one direction of the parameters, at a fraction of the cost.

`EstimatingSolver` carries an estimate D (N, c) of the errors of all tangents along. For signs w,
with w_j = +1 or -1, the product D w is the estimate of the error of S w, which is the tangent of
one direction, and needs no other column of D. Over random w the mean of |phi D w|^2 is |phi D|^2:
one column tells the size of the error of a gradient, though not which of its entries is wrong.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.tree_util as jtu

from gradaudit.lifted import Lifted
from gradaudit.propagated import Estimated, EstimatingSolver


class ProbingSolver(EstimatingSolver):
    """As `EstimatingSolver`, with `tangent_error` (N, 1) along `direction` (c,).

    See `gradaudit.directions` for the direction.
    """

    direction: Any

    def init(self, terms, t0, t1, y0, args):
        state = self.solver.init(self.term, t0, t1, y0.lifted, args)
        moving = eqx.filter(self._along(state), eqx.is_inexact_array)
        return state, jtu.tree_map(jnp.zeros_like, moving)

    def step(self, terms, t0, t1, y0, args, solver_state, made_jump):
        state, variation = solver_state
        y1, error, _, after, result = self.solver.step(
            self.term, t0, t1, y0.lifted, args, state, made_jump
        )
        narrow = args._replace(seeds=self._product(args.seeds))
        moving, fixed = eqx.partition(self._along(state), eqx.is_inexact_array)

        def advance(lifted, moving):
            y1, _, _, after, _ = self.solver.step(
                self.term, t0, t1, lifted, narrow, eqx.combine(moving, fixed), made_jump
            )
            return y1, eqx.filter(after, eqx.is_inexact_array)

        here = Lifted(y0.y, self._product(y0.tangents))
        _, (varied, variation) = jax.jvp(
            advance, (here, moving), (Lifted(y0.error, y0.tangent_error), variation)
        )
        tangent_error = varied.tangents + self._product(error.tangents)
        if self.watching.branches is not None:
            before = Lifted(y0.y, here.tangents + y0.tangent_error)
            reached = Lifted(y1.y, self._product(y1.tangents) + tangent_error)
            missing = self.watching.neglected(t0, t1, before, reached, narrow)
            tangent_error = tangent_error + missing.term
        estimate = (varied.y + error.y, tangent_error)
        return Estimated(*y1, *estimate), error, {}, (after, variation), result

    def _product(self, columns: Any) -> Any:
        """Columns (..., c) along the direction: (..., 1)."""
        return (columns @ self.direction)[..., None]

    def _along(self, state: Any) -> Any:
        """The lifted solver's state with the tangents of the direction alone."""
        return state._replace(tangents=jtu.tree_map(self._product, state.tangents))
