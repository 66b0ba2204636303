"""From errors of states and tangents to the error of what is read out of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.tree_util as jtu
from jax.flatten_util import ravel_pytree

from gradaudit.checked.solve import Solved, in_directions

PATTERNS = 8
"""Patterns of signs that the size of the terms is sampled with."""

UNRESOLVED = 1e4
"""By how much, per unit of its embedded error, a step errs more in which faint states grow.

The embedded error of a step that is not resolved is too small, the more so the larger it is: 4e-3
of logistic growth from 1e-9, with a tolerance of 1e-9, is 20 times too small, 2e-2 from 1e-12 is
170 times too small.
"""

NOUGHT = 1e-10
"""Of the natural scale: a Jacobian that is smaller, with an error that is smaller, is zero."""


class Estimate(NamedTuple):
    """Of a Jacobian in scaled parameters, all raw, that is, before calibration.

    Attributes
    ----------
    error
        Of every entry, absolute: like the Jacobian, (..., m).
    relative
        Norm of the error over that of the Jacobian, of all entries.
    cancellation
        Norm of the Jacobian over the size of the terms that it is the sum of; 1 if nothing is known
        of them. Small near an optimum, where the terms cancel.
    vanishes
        Whether the Jacobian is zero to rounding; `relative` is then over the natural scale
        |d readout / dy| |y|, for the Jacobian has no digit of its own.
    """

    error: Any
    relative: Any
    cancellation: Any
    vanishes: Any = False


def by_indicator(solved: Solved, jacobian: Any, tangent_error: Any) -> Estimate:
    """The largest embedded error of the tangents in one step, as if it were that of the whole."""
    relative = jnp.where(solved.ok, tangent_error, jnp.nan)
    error = jtu.tree_map(lambda j: relative * jnp.abs(j), jacobian)
    return Estimate(error, relative, jnp.ones(()))


def by_propagation(observe: Callable[..., Any], solved: Solved, jacobian: Any) -> Estimate:
    """``|J(y + d) (S + D) - J(y) S|``, with the estimates d and D carried along.

    Infinite where the perturbed solve of the solve was lost and the solve was not. It is in
    relation to the Jacobian of the perturbed solve, which is closer to the truth: with jumps, whose
    saltation term that adds, the other one may be wrong by any multiple of it.
    """
    moved = in_directions(
        observe, solved.states + solved.errors, solved.tangents + solved.tangent_errors
    )
    error = jtu.tree_map(_distance, moved, jacobian)
    size, whole = _norm(jacobian), _norm(error)
    terms = _size_of_terms(observe, solved)
    relative = jnp.where(jnp.isfinite(whole), _ratio(whole, _norm(moved)), whole)
    return Estimate(error, relative, jnp.where(terms > 0, size / terms, 1.0))


def by_probing(
    observe: Callable[..., Any], solved: Solved, jacobian: Any, direction: Any
) -> Estimate:
    """The size of ``J(y + d) (S w + D w) - J(y) S w``, spread over the entries by their own size.

    In the root mean square over directions w of signs it is that of the whole error.
    """
    along = (solved.tangents @ direction)[..., None]
    moved = in_directions(observe, solved.states + solved.errors, along + solved.tangent_errors)
    still = in_directions(observe, solved.states, along)
    change = jtu.tree_map(_distance, moved, still)
    size, terms = _norm(jacobian), _size_of_terms(observe, solved)
    relative = _ratio(_norm(change), size)
    error = jtu.tree_map(lambda j: relative * jnp.abs(j), jacobian)
    return Estimate(error, relative, jnp.where(terms > 0, size / terms, 1.0))


def widened(estimate: Estimate, solved: Solved) -> Estimate:
    """That of the indicator where steps did not resolve the growth of states below their `atol`.

    The perturbed solve resolves it twice as well, so that its distance needs no widening.
    """
    factor = 1.0 + UNRESOLVED * jnp.where(solved.ok, solved.faint.emerged, 0.0)
    error = jtu.tree_map(lambda e: factor * e, estimate.error)
    return estimate._replace(error=error, relative=factor * estimate.relative)


def vanishing(
    observe: Callable[..., Any], solved: Solved, jacobian: Any, estimate: Estimate
) -> Estimate:
    """The estimate where the Jacobian is zero in relation to the readout's natural scale."""
    natural = _size_of_terms(observe, solved, solved.states[..., None])
    size, error = _norm(jacobian), _norm(estimate.error)
    vanishes = (size <= NOUGHT * natural) & (error <= NOUGHT * natural) & (size > 0)
    relative = jnp.where(vanishes, error / natural, estimate.relative)
    return estimate._replace(relative=relative, vanishes=vanishes)


def _size_of_terms(observe: Callable[..., Any], solved: Solved, columns: Any = None) -> Any:
    """Root of the sum of squares of all terms (d readout / d y_i) S_i, sampled.

    Or of (d readout / d y_i) c_i with the `columns` c (T, n, k).

    With random signs s_i the expectation of (sum s_i a_i)^2 is the sum of a_i^2; so it needs no
    more than Jacobian-vector products, and is exact where there is one term.
    """
    signs = jax.random.rademacher(
        jax.random.key(0), (PATTERNS, *solved.states.shape, 1), solved.tangents.dtype
    )
    columns = solved.tangents if columns is None else columns
    sums = jax.vmap(lambda s: in_directions(observe, solved.states, s * columns))(signs)
    return _norm(sums) / jnp.sqrt(PATTERNS)


def _distance(a: Any, b: Any) -> Any:
    """|a - b|, infinite where a is NaN and b is not."""
    return jnp.where(jnp.isnan(a) & ~jnp.isnan(b), jnp.inf, jnp.abs(a - b))


def _norm(tree: Any) -> Any:
    return jnp.linalg.norm(ravel_pytree(tree)[0])


def _ratio(error: Any, size: Any) -> Any:
    """error / size, 0 where both are."""
    return jnp.where((error == 0) & (size == 0), 0.0, error / size)
