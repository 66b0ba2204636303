"""The root finder of an implicit solver, with tolerances and a norm of its own."""

from __future__ import annotations

from typing import Any

import diffrax
import equinox as eqx
import jax.numpy as jnp
import jax.tree_util as jtu


def root_finder(solver: type[diffrax.AbstractSolver], rtol: Any, atol: Any, n: int | None) -> Any:
    """Diffrax's own choice, where it would take tolerances and norm from the controller.

    Its norm looks at the first `n` components, the states; at all if None.
    """
    return eqx.tree_at(
        lambda finder: (finder.rtol, finder.atol, finder.norm),
        solver.root_finder,
        (rtol, atol, _StateRms(n)),
    )


class _StateRms:
    """Root mean square over the first n components; hashable, so that it does not retrace."""

    def __init__(self, n: int | None) -> None:
        self.n = n

    def __call__(self, x: Any) -> Any:
        if self.n is None:
            values = jnp.concatenate([jnp.ravel(leaf) for leaf in jtu.tree_leaves(x)])
        else:
            y = x.y if hasattr(x, "y") else x  # of a large system (y, S), the states
            values = y[: self.n]
        # Newton's method on complex numbers is judged by the real solve that they perturb.
        return jnp.sqrt(jnp.mean(jnp.real(values) ** 2))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _StateRms) and other.n == self.n

    def __hash__(self) -> int:
        return hash((_StateRms, self.n))
