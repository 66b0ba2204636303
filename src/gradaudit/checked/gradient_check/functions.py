"""The check of a gradient of a function of parameters, in JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import jax.tree_util as jtu
import numpy as np
from jax.flatten_util import ravel_pytree
from numpy.typing import NDArray

from gradaudit.checked.gradient_check.blame import blamed
from gradaudit.checked.gradient_check.differences import by_differences
from gradaudit.checked.gradient_check.directions import Directions, directions, random_rows
from gradaudit.checked.gradient_check.exact_solve import ExactSolve
from gradaudit.checked.gradient_check.inspection import Program, inspect
from gradaudit.checked.gradient_check.interception import RefusedSolveError, replaced
from gradaudit.checked.gradient_check.programs import Function, forward, in_double, reverse, value
from gradaudit.checked.gradient_check.result import Blamed, GradientCheck
from gradaudit.checked.gradient_check.tangents import LEVELS, by_tangents, level
from gradaudit.checked.gradient_check.tight_solve import TightSolve
from gradaudit.checked.gradient_check.truth import Truth, unknown
from gradaudit.checked.gradient_check.verdict import judge
from gradaudit.checked.pytrees import as_floats
from gradaudit.errors import GradauditError, SettingError

Array = NDArray[np.float64]

NO_SOLVE = "the derivative of the program as it is written (no solve of diffrax was found)"
MISSED = (
    "{count} solve(s) of diffrax could not be replaced by exact ones (called by "
    "diffeqsolve.__wrapped__, or traced before): their errors are unknown. Call "
    "diffrax.diffeqsolve inside of the function"
)
LOOPS = (
    "there is a loop of unknown length that is no solve of diffrax; if it solves an equation, its "
    "error is unknown. Use diffrax.diffeqsolve"
)
SCANS = (
    "no solve of diffrax was found, but a loop, which may be a solver of its own with an error "
    "that is unknown. Use diffrax.diffeqsolve"
)
ROUNDED = (
    "the function converts to single precision inside, so that the true derivative cannot be "
    "computed. Remove the casts; arrays of single precision alone do no harm"
)


def check_function(
    fun: Callable[[Any], Any],
    p: Any,
    gradient: Any,
    *,
    accuracy: float,
    count: int | None,
    seed: int,
) -> GradientCheck:
    """As `gradaudit.check_gradient` for a function of a pytree."""
    where = directions(_parameters(p), count, seed)
    function = Function(fun)
    given, source, problem = _gradient(function, jtu.tree_map(jnp.asarray, p), gradient)
    if given is None:
        return _without(problem, accuracy)
    p = in_double(p)
    try:
        truth = _truth(function, p, where, accuracy=accuracy, seed=seed)
    except SettingError:
        raise
    except Exception as error:  # of the user's function, with its solves replaced
        truth = unknown(len(where.vectors), "nothing", f"the exact solve failed: {_first(error)}")
    verdict = judge(given, where, truth, accuracy)
    if count is None and not where.complete and verdict.outcome == "inconclusive" and truth.known:
        where, truth = _more(function, p, where, truth, seed)
        verdict = judge(given, where, truth, accuracy)
    what = "all parameters" if where.complete else f"{len(where.vectors)} random directions"
    blame: tuple[Blamed, ...] = ()
    if verdict.outcome == "failed":
        blame = blamed(function, p, given, where, truth, seed)
    parts = (verdict.why, *truth.causes, *(truth.doubts if verdict.outcome != "failed" else ()))
    sure = (
        ""
        if where.complete or verdict.outcome != "passed"
        else (f" (confidence {where.confidence:.1%})")
    )
    return GradientCheck(
        outcome=verdict.outcome,
        disagreement=verdict.disagreement,
        error_bar=verdict.error_bar,
        accuracy=accuracy,
        reason=_sentences(parts) + sure,
        compared=f"{source} against {truth.route}, along {what}",
        confidence=where.confidence,
        blame=blame,
        directions=where.vectors,
        given=where.vectors @ given,
        expected=truth.slopes,
        bars=truth.bars,
    )


def _more(
    function: Function, p: Any, where: Directions, truth: Truth, seed: int
) -> tuple[Directions, Truth]:
    """Three times the directions: an error is then known to a factor of three, not of ten."""
    rows, slopes, bars = [where.vectors], [truth.slopes], [truth.bars]
    for turn in (1, 2):
        vectors = random_rows(len(where.vectors), where.sizes, seed + 1000 * turn)
        if truth.solve is None:
            own = by_differences(function, p, vectors, stiff=False)
            slopes.append(own.slopes)
            bars.append(own.bars)
        else:
            slopes.append(level(function, p, vectors, truth.solve).slopes)
            # known as well as along the others, whose bars are by their common size
            bars.append(np.full(len(vectors), np.max(truth.bars)))
        rows.append(vectors)
    wider = replace(truth, slopes=np.concatenate(slopes), bars=np.concatenate(bars))
    return replace(where, vectors=np.concatenate(rows)), wider


def _sentences(parts: tuple[str, ...]) -> str:
    return " ".join(part[:1].upper() + part[1:].rstrip(".") + "." for part in parts)


def _parameters(p: Any) -> Array:
    """The parameters in a row."""
    flat = np.asarray(ravel_pytree(as_floats(p, "p"))[0])
    if not np.all(np.isfinite(flat)):
        raise SettingError("p has entries that are not finite; there is no gradient to check.")
    return flat


def _gradient(function: Function, p: Any, gradient: Any) -> tuple[Array | None, str, str]:
    """The gradient (m,) in a row, where it comes from, or why there is none."""
    if gradient is not None:
        shapes = [[jnp.shape(leaf) for leaf in jtu.tree_leaves(tree)] for tree in (gradient, p)]
        if shapes[0] != shapes[1]:
            raise SettingError(
                f"gradient has to have the structure and shapes of p, {shapes[1]}, not {shapes[0]}."
            )
        rows = [np.asarray(leaf, dtype=float).ravel() for leaf in jtu.tree_leaves(gradient)]
        return np.concatenate(rows), "the given gradient", ""
    try:
        shape = jax.eval_shape(function, p)
        _scalar(shape)
    except SettingError:
        raise
    except Exception as error:
        return None, "", f"fun cannot be evaluated: {_first(error)}"
    try:
        found, source = reverse(function, p), "jax.grad (reverse mode)"
        jax.block_until_ready(found)
    except Exception as first:
        try:
            found, source = forward(function, p), "jax.jacfwd (reverse mode is not possible here)"
            jax.block_until_ready(found)
        except Exception as second:
            text = f"jax.grad fails: {_first(first)}; jax.jacfwd fails: {_first(second)}"
            return None, "", text
    return np.asarray(ravel_pytree(found)[0], dtype=float), source, ""


def _scalar(shape: Any) -> None:
    if getattr(shape, "shape", None) != () or not jnp.issubdtype(shape.dtype, jnp.floating):
        raise SettingError(
            f"fun has to return one real number, not {shape}; for a Jacobian check the gradients "
            "of its rows, lambda p: fun(p)[i]."
        )


def _truth(function: Function, p: Any, where: Any, *, accuracy: float, seed: int) -> Truth:
    try:
        with replaced(ExactSolve(*LEVELS[0])):
            traced = value.trace(function, p)
    except RefusedSolveError as error:
        return _refused(function, p, where, str(error))
    _scalar(traced.out_info)
    program = inspect(traced.jaxpr.jaxpr)
    if program.missed:
        return unknown(len(where.vectors), "nothing", MISSED.format(count=program.missed))
    if program.roundings:
        return unknown(len(where.vectors), "nothing", ROUNDED)
    try:
        truth = by_tangents(function, p, where, accuracy=accuracy, seed=seed)
    except RefusedSolveError as error:
        return _refused(function, p, where, str(error))
    except (
        TypeError,
        GradauditError,
    ) as error:  # a rule for reverse mode alone, a derivative twice
        return _refused(function, p, where, f"forward mode is not possible: {_first(error)}")
    if not program.solves:
        truth = replace(truth, route=NO_SOLVE)
    return replace(truth, doubts=(*truth.doubts, *_of_program(program)))


def _of_program(program: Program) -> tuple[str, ...]:
    if program.solves:
        return (LOOPS,) if program.loops else ()
    return (SCANS,) if program.loops or program.scans else ()


def _refused(function: Function, p: Any, where: Any, why: str) -> Truth:
    """By differences, where a solve has what tangents cannot follow."""
    try:
        with replaced(TightSolve(*LEVELS[1])):
            program = inspect(value.trace(function, p).jaxpr.jaxpr)
        if program.missed:
            return unknown(len(where.vectors), "nothing", MISSED.format(count=program.missed))
        if program.roundings:
            return unknown(len(where.vectors), "nothing", ROUNDED)
        truth = by_differences(function, p, where.vectors, stiff=False)
    except RefusedSolveError as error:
        return unknown(len(where.vectors), "nothing", f"a solve cannot be judged: {error}")
    cause = f"tangents cannot follow this: {why}"
    doubts = (*truth.doubts, *_of_program(program))
    return replace(truth, causes=(cause, *truth.causes), doubts=doubts)


def _without(problem: str, accuracy: float) -> GradientCheck:
    return GradientCheck("inconclusive", np.nan, np.inf, accuracy, problem, "no gradient")


def _first(error: Exception) -> str:
    """The first line of a message."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
