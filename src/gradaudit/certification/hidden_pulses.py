"""Pulses in time that are too narrow for any look at points that do not know where they are.

``exp(-((t - c) / w)**2)`` is 0 in floating point but for a few w about c. Where w is a millionth of
the window, neither a step nor a look at its inside meets it. But the formula tells where it is: at
the zero of ``t - c``, or where ``cos(t)`` turns. So all terms of the vector field that depend on
time alone are evaluated where any of them, or its derivative, changes its sign.

A term that also depends on the state is not looked at, nor one behind a switch, which is an event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal
from numpy.typing import NDArray

from gradaudit.backend.jaxpr.evaluator import Evaluator
from gradaudit.backend.jaxpr.tracing import trace
from gradaudit.backend.program_cache import identity_cache
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import integrand_names, with_integrals

Array = NDArray[np.float64]
Terms = Callable[[Array], tuple[Array, Array]]
"""Of times (G,) all terms and their derivatives, (G, K)."""

POINTS = 4001
"""Of a grid on which signs are compared."""

BISECTIONS = 44  # from a gap of the grid to what float64 resolves
MOST = 1000
"""Terms, or places, of a model: where there are more, some of them are looked at."""

AWAY = 1e-5 * np.geomspace(1.0, 100.0, 8)
"""Of the window: where a pulse that steps and looks may miss has vanished."""

TRACE = 1e-16
"""Of the height of a pulse: what is left of it there is no trace in floating point."""

SMOOTH = frozenset(
    [
        "acos", "acosh", "add", "add_any", "asin", "asinh", "atan", "atan2", "atanh", "cbrt",
        "cos", "cosh", "div", "erf", "erf_inv", "erfc", "exp", "exp2", "expm1", "integer_pow",
        "lgamma", "log", "log1p", "logistic", "mul", "neg", "pow", "rsqrt", "sin", "sinh",
        "sqrt", "square", "sub", "tan", "tanh",
        "broadcast_in_dim", "concatenate", "copy", "dot_general", "reduce_sum", "reshape", "slice",
        "squeeze", "stack", "transpose",
    ]
)  # fmt: skip


class _OfTime(Evaluator[Any]):
    """Evaluates what depends on time and parameters alone, smoothly; None is anything else."""

    def __init__(self) -> None:
        self.terms: list[Any] = []
        self.timed: set[int] = set()  # identities of values that depend on time; `terms` holds them

    def constant(self, value: Any) -> Any:
        return value

    def stack(self, rows: Sequence[Any]) -> Any:
        return None

    def primitive(self, eqn: Any, values: list[Any]) -> list[Any]:
        if any(value is None for value in values) or eqn.primitive.name not in SMOOTH:
            return [None] * len(eqn.outvars)
        result = eqn.primitive.bind(*values, **eqn.params)
        timed = any(
            id(value) in self.timed
            for value, atom in zip(values, eqn.invars, strict=True)
            if not isinstance(atom, Literal)
        )
        if timed:
            self.terms.append(result)
            self.timed.add(id(result))
        return [result]


def hidden_pulse(model: Model, until: float) -> float | None:
    """The first time before `until` at which a term of the vector field has a pulse that may hide.

    None where no term has one.
    """
    first = _first_pulse(model)
    return first if first is not None and first < until else None


@identity_cache
def _first_pulse(model: Model) -> float | None:
    terms = _terms(model)
    if terms is None:
        return None
    grid = np.linspace(0.0, model.t_end, POINTS)
    places = _places(terms, grid)
    inside = (places > AWAY[-1] * model.t_end) & (places < (1.0 - AWAY[-1]) * model.t_end)
    places = places[inside]
    if not len(places):
        return None
    here, _ = terms(places)
    away = AWAY * model.t_end
    left, right = (
        np.stack([terms(places + sign * length)[0] for length in away]) for sign in (-1.0, 1.0)
    )
    sides = np.concatenate([left, right])
    with np.errstate(invalid="ignore"):
        height = np.abs(sides - here).min(axis=0)
        flat = np.ptp(sides, axis=0) <= TRACE * height
        found = flat & (height > 0.0) & np.isfinite(height)
    rows = found.any(axis=1)
    return float(places[rows][0]) if rows.any() else None


def _terms(model: Model) -> Terms | None:
    """The terms that depend on time alone; None without any, as of most models."""
    size = model.n + len(integrand_names(model))
    closed = trace(with_integrals(model), [None, size, model.m], model.name)
    nominal = jnp.asarray(model.nominal)

    def values(t: Any) -> Any:
        evaluator = _OfTime()
        evaluator.terms.append(t)
        evaluator.timed.add(id(t))
        evaluator.evaluate(closed, [t, None, nominal])
        terms = [jnp.ravel(term) for term in evaluator.terms[1:]]
        return jnp.concatenate([jnp.zeros(0), *terms])[:MOST]

    if not jax.eval_shape(values, jax.ShapeDtypeStruct((), jnp.float64)).size:
        return None
    program = jax.jit(jax.vmap(lambda t: jax.jvp(values, (t,), (jnp.ones_like(t),))))

    def evaluated(times: Array) -> tuple[Array, Array]:
        parts = []
        for start in range(0, len(times), MOST):  # one shape, one program
            some = times[start : start + MOST]
            found = program(jnp.asarray(np.resize(some, MOST)))
            parts.append([np.asarray(part)[: len(some)] for part in found])
        values, slopes = (np.concatenate(part) for part in zip(*parts, strict=True))
        return values, slopes

    return evaluated


def _places(terms: Terms, grid: Array) -> Array:
    """Times (C,) at which a term or its derivative changes its sign."""
    low, high, which = [], [], []
    for kind, values in enumerate(terms(grid)):
        signs = np.sign(values)
        turned = (signs[:-1] * signs[1:] < 0.0) | ((signs[1:] == 0.0) & (signs[:-1] != 0.0))
        rows, columns = np.nonzero(turned)
        low.append(grid[rows])
        high.append(grid[rows + 1])
        which.append(np.stack([np.full(len(rows), kind), columns], axis=1))
    a, b, chosen = np.concatenate(low), np.concatenate(high), np.concatenate(which)
    if not len(a):
        return a
    some = np.linspace(0, len(a) - 1, min(len(a), MOST)).astype(int)
    a, b, (kinds, columns) = a[some], b[some], chosen[some].T
    rows = np.arange(len(a))

    def sign(times: Array) -> Array:
        return np.sign(np.stack(terms(times))[kinds, rows, columns])

    before = sign(a)
    for _ in range(BISECTIONS):
        middle = 0.5 * (a + b)
        same = sign(middle) == before
        a, b = np.where(same, middle, a), np.where(same, b, middle)
    return np.unique(np.concatenate([a, b]))
