"""Where a vector field is finite and its derivative is not, and what makes it so.

``sqrt(c)`` at c = 0 and ``1 / (1 + exp(x))`` at x = 710 are finite, and automatic differentiation
makes inf / inf or 0 * inf of their derivatives. No tolerance and no solver helps.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from gradaudit.backend.jaxpr.evaluator import Evaluator
from gradaudit.backend.once import evaluated
from gradaudit.errors import first_few
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state

Array = NDArray[np.float64]
Pair = tuple[Any, Any]

POINTS = 201
EVALUATIONS = 20_000
"""Of the rates: a solution that slides on a threshold takes ever shorter steps."""
CURE = (
    "Automatic differentiation gives NaN there, with every solver and tolerance. Keep the argument "
    "away from that point (jnp.where in the argument and around the result, or a small floor), or "
    "use a function that is safe (jax.nn.sigmoid for 1 / (1 + exp(-x)), jnp.logaddexp)."
)


class _EndlessError(Exception):
    """SciPy takes too many steps."""


class Slopes(NamedTuple):
    """Rates (n,) at a point, and their derivatives (n, n + m) by states and parameters.

    No derivatives where a function has one of its own, in reverse mode only.
    """

    rates: Array
    derivatives: Array | None


def slopes(field: Callable[..., Any], t: float, y: Any, p: Any) -> Slopes:
    """Of a vector field at t, y (n,), p (m,)."""

    def both(t: Any, y: Any, p: Any) -> tuple[Any, Any]:
        derivatives = jax.jacfwd(field, (1, 2))(t, y, p)
        return field(t, y, p), jnp.concatenate(derivatives, axis=1)

    point = (jnp.asarray(t), jnp.asarray(y), jnp.asarray(p))
    try:
        rates, derivatives = evaluated(both, *point)
    except TypeError:
        return Slopes(np.asarray(evaluated(field, *point)), None)
    return Slopes(np.asarray(rates), np.asarray(derivatives))


def undifferentiable(model: Model, t: float, y: Array, known: Slopes | None = None) -> str:
    """A sentence on a derivative that is not finite at a point where the rates are; else "".

    `known` is what `slopes` gives there.
    """
    at = known or slopes(model.vector_field, t, y, model.nominal)
    if at.derivatives is None:
        return ""
    bad = ~np.isfinite(at.derivatives) & np.isfinite(at.rates)[:, None]
    if not bad.any():
        return ""
    names = [*model.states, *model.parameters]
    row = int(np.argmax(bad.any(axis=1)))
    columns = [name for name, wrong in zip(names, bad[row], strict=True) if wrong]
    function = _cause(model, t, y)
    return (
        f"the rate of {list(model.states)[row]!r} is finite at t = {t:.6g}, and its derivative "
        f"with respect to {first_few(columns)} is not"
        + (f", because of {function}" if function else "")
        + f". {CURE}"
    )


def along_the_solution(model: Model) -> str:
    """The same for the first point of the solution where it is so, of some that SciPy gives."""
    if model.jumps:
        return ""
    p = jnp.asarray(model.nominal)
    field = jax.jit(lambda t, y: model.vector_field(t, y, p))
    start = np.asarray(initial_state(model, p))
    times = np.linspace(0.0, model.t_end, POINTS)
    evaluated = itertools.count()

    def rates(t: float, y: Any) -> Any:
        if next(evaluated) > EVALUATIONS:
            raise _EndlessError
        return np.asarray(field(t, y))

    try:
        with np.errstate(all="ignore"):
            solution = solve_ivp(
                rates, (0.0, model.t_end), start,
                method="LSODA", t_eval=times, rtol=1e-6, atol=1e-9,
            )  # fmt: skip
    except _EndlessError:
        return ""
    if not solution.t.size:
        return ""
    try:
        finite = _finite_derivatives(model, solution.t, solution.y.T)
    except TypeError:  # see above
        return ""
    bad = np.flatnonzero(~finite)
    return (
        undifferentiable(model, float(solution.t[bad[0]]), solution.y[:, bad[0]])
        if bad.size
        else ""
    )


def _finite_derivatives(model: Model, times: Array, states: Array) -> NDArray[np.bool_]:
    p = jnp.asarray(model.nominal)

    def finite(t: Any, y: Any) -> Any:
        slopes = jax.jacfwd(model.vector_field, (1, 2))(t, y, p)
        return jnp.all(jnp.isfinite(jnp.concatenate(slopes, 1)))

    return np.asarray(jax.jit(jax.vmap(finite))(times, states))


class _Derivatives(Evaluator[Pair]):
    """Values with derivatives along one direction; stops at the first that is not finite."""

    def __init__(self) -> None:
        self.cause = ""

    def constant(self, value: Any) -> Pair:
        return value, _still(value)

    def stack(self, rows: Sequence[Pair]) -> Pair:
        values, tangents = zip(*rows, strict=True)
        return jnp.stack(values), jnp.stack(tangents)

    def row(self, sequence: Pair, step: int) -> Pair:
        return sequence[0][step], sequence[1][step]

    def primitive(self, eqn: Any, values: list[Pair]) -> list[Pair]:
        inputs, tangents = (tuple(part) for part in zip(*values, strict=True))

        def run(*arguments: Any) -> tuple[Any, ...]:
            result = eqn.primitive.bind(*arguments, **eqn.params)
            return tuple(result) if eqn.primitive.multiple_results else (result,)

        out, moved = jax.jvp(run, inputs, tangents)
        pairs = list(zip(out, moved, strict=True))
        if not self.cause and _finite(out) and _finite(tangents) and not _finite(moved):
            given = [float(jnp.ravel(x)[0]) for x in inputs if jnp.size(x)]
            operands = ", ".join(f"{x:.4g}" for x in given[:2])
            self.cause = f"{eqn.primitive.name}({operands})"
        return pairs


def _cause(model: Model, t: float, y: Array) -> str:
    closed = jax.make_jaxpr(model.vector_field)(t, y, model.nominal)
    reading = _Derivatives()
    points = [jnp.asarray(x, dtype=float) for x in (t, y, model.nominal)]
    moving = [jnp.zeros(()), *(jnp.ones_like(x) for x in points[1:])]
    try:
        reading.evaluate(closed, list(zip(points, moving, strict=True)))
    except Exception:  # what cannot be taken apart is not named
        return ""
    return reading.cause


def _still(value: Any) -> Any:
    kind = jnp.result_type(value)
    if jnp.issubdtype(kind, jnp.inexact):
        return jnp.zeros_like(value)
    return np.zeros(jnp.shape(value), dtype=jax.dtypes.float0)


def _finite(values: Sequence[Any]) -> bool:
    return all(
        bool(jnp.all(jnp.isfinite(value)))
        for value in values
        if jnp.result_type(value) != jax.dtypes.float0
        and jnp.issubdtype(jnp.result_type(value), jnp.inexact)
    )
