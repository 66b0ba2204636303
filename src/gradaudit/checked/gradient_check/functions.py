"""The check of a gradient of a function of parameters, in JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

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
from gradaudit.checked.gradient_check.judged import explained, first, judged, require_scalar
from gradaudit.checked.gradient_check.programs import Function, in_double, value
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
    "there is a loop in which a number depends on its last value, outside of any solve of diffrax; "
    "it may be a solver of its own, whose error is unknown. Use diffrax.diffeqsolve"
)
OUTSIDE = (
    "the function calls code outside of JAX, as by jax.pure_callback; if it solves an equation, "
    "its error is unknown. Use diffrax.diffeqsolve"
)
ROUNDED = (
    "the function converts to single precision inside, so that the true derivative cannot be "
    "computed. Remove the casts; arrays of single precision alone do no harm"
)
IMPURE = (
    "fun does something else whenever it is traced by JAX, as with random numbers of NumPy or "
    "Python. Draw them before, or by jax.random with a fixed key"
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
    arrays = jtu.tree_map(jnp.asarray, p)
    function = Function(fun, arrays)
    given, source, problem = judged(function, arrays, gradient)
    if given is None:
        return _without(problem, accuracy)
    p = in_double(p)
    try:
        truth = _truth(function, p, where, accuracy=accuracy, seed=seed)
    except SettingError:
        raise
    except Exception as error:  # of the user's function, with its solves replaced
        truth = unknown(len(where.vectors), "", explained(error, function))
    verdict = judge(given, where, truth, accuracy)
    if count is None and not where.complete and verdict.outcome == "inconclusive" and truth.known:
        where, truth = _more(function, p, where, truth, seed)
        verdict = judge(given, where, truth, accuracy)
    if verdict.outcome != "passed" and function.changes(arrays):
        return _without(IMPURE, accuracy)
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
        compared=f"{source} against {truth.route}, along {what}"
        if truth.route
        else f"{source}; there is nothing to compare it with",
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
    if not flat.size:
        raise SettingError("p has no numbers in it.")
    if not np.all(np.isfinite(flat)):
        raise SettingError("p has entries that are not finite; there is no gradient to check.")
    return flat


def _truth(function: Function, p: Any, where: Any, *, accuracy: float, seed: int) -> Truth:
    try:
        with replaced(ExactSolve(*LEVELS[0])):
            traced = value.trace(function, p)
    except SettingError:
        raise
    except (TypeError, GradauditError) as error:
        return _refused(function, p, where, _why(error))
    require_scalar(traced.out_info)
    program = inspect(traced.jaxpr.jaxpr)
    if program.missed:
        return unknown(len(where.vectors), "", MISSED.format(count=program.missed))
    if program.roundings:
        return unknown(len(where.vectors), "", ROUNDED)
    try:
        truth = by_tangents(function, p, where, accuracy=accuracy, seed=seed)
    except (TypeError, GradauditError) as error:
        return _refused(function, p, where, _why(error))
    if not program.solves:
        truth = replace(truth, route=NO_SOLVE)
    return replace(truth, doubts=(*truth.doubts, *_of_program(program)))


def _why(error: Exception) -> str:
    """Why there are no tangents: what a solve has, or a rule for reverse mode alone."""
    if isinstance(error, RefusedSolveError):
        return str(error)
    return f"forward mode is not possible: {first(error)}"


def _of_program(program: Program) -> tuple[str, ...]:
    seen = (LOOPS, program.loops), (SCANS, program.scans), (OUTSIDE, program.outside)
    return tuple(doubt for doubt, count in seen if count)


def _refused(function: Function, p: Any, where: Any, why: str) -> Truth:
    """By differences, where a solve has what tangents cannot follow."""
    try:
        with replaced(TightSolve(*LEVELS[1])):
            program = inspect(value.trace(function, p).jaxpr.jaxpr)
        if program.missed:
            return unknown(len(where.vectors), "", MISSED.format(count=program.missed))
        if program.roundings:
            return unknown(len(where.vectors), "", ROUNDED)
        truth = by_differences(function, p, where.vectors, stiff=False)
    except RefusedSolveError as error:
        return unknown(len(where.vectors), "", f"a solve cannot be judged: {error}")
    cause = f"difference quotients had to do, because of a solve in the function: {why}"
    doubts = (*truth.doubts, *_of_program(program))
    return replace(truth, causes=(cause, *truth.causes), doubts=doubts)


def _without(problem: str, accuracy: float) -> GradientCheck:
    return GradientCheck(
        "inconclusive", np.nan, np.inf, accuracy, _sentences((problem,)), "nothing was compared"
    )
