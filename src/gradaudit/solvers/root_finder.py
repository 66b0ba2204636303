"""The root finder of an implicit solver, with tolerances and a norm of its own."""

from __future__ import annotations

import dataclasses
from typing import Any

import diffrax
import jax.numpy as jnp
import jax.tree_util as jtu
import optimistix


class PatientChord(diffrax.VeryChord):
    """The chord method, which goes on until it has converged, diverges, or has had its iterations.

    That of diffrax 0.7.2 says "diverged" of every iterate that has not converged yet, which
    optimistix 0.1.0 takes at its word after two iterations, so that the step is rejected
    (patrick-kidger/diffrax#754, merged in May 2026 and in no release so far). On published models
    half of the steps of Kvaerno5 were rejected for it, and there were up to twelve times as many.

    With more iterations there are more ways to fail. Iterates that do not approach each other have
    diverged, unless they are within the tolerance: there rounding stops them. Iterates stay where
    the function is finite, since its derivative at the last one is solved with, and a linear solver
    of lineax that sees what is not finite may raise.
    """

    def step(
        self, fn: Any, y: Any, args: Any, options: Any, state: Any, tags: Any
    ) -> tuple[Any, Any, Any]:
        reached, after, aux = super().step(fn, y, args, options, state, tags)
        finite = jnp.isfinite(after.diffsize)

        def kept(reached: Any, y: Any, moved: Any) -> Any:
            return jnp.where(finite, reached, y + jnp.where(jnp.isfinite(moved), moved, 0.0))

        return jtu.tree_map(kept, reached, y, state.diff), after, aux

    def terminate(
        self, fn: Any, y: Any, args: Any, options: Any, state: Any, tags: Any
    ) -> tuple[Any, Any]:
        moved, rate = state.diffsize, state.diffsize / state.diffsize_prev
        nearing = rate < 1.0
        converged = (moved <= self.kappa) | jnp.where(
            nearing, moved * rate < self.kappa * (1.0 - rate), moved <= 1.0
        )
        begun, judged = state.step > 0, state.step > 1
        unsolved = state.result != optimistix.RESULTS.successful
        lost = unsolved | (begun & ~jnp.isfinite(moved)) | (judged & ~nearing & ~converged)
        result = optimistix.RESULTS.where(
            lost, optimistix.RESULTS.nonlinear_divergence, optimistix.RESULTS.successful
        )
        return lost | (judged & converged), result


def root_finder(solver: type[diffrax.AbstractSolver], rtol: Any, atol: Any, n: int | None) -> Any:
    """Diffrax's own choice, where it would take tolerances and norm from the controller.

    Its norm looks at the first `n` components, the states; at all if None.
    """
    return patient(solver.root_finder, rtol=rtol, atol=atol, norm=_StateRms(n))


def patient(finder: Any, **changed: Any) -> Any:
    """A root finder with other tolerances or another norm; patient where it is diffrax's chord."""
    if isinstance(finder, diffrax.VeryChord):
        own = {field.name: getattr(finder, field.name) for field in dataclasses.fields(finder)}
        return PatientChord(**(own | changed))
    return dataclasses.replace(finder, **changed)


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
