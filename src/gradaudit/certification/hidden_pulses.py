"""Pulses in time that are too narrow for any look at points that do not know where they are.

``exp(-((t - c) / w)**2)`` is 0 in floating point but for a few w about c. Where w is a millionth of
the window, neither a step nor a look at its inside meets it. But the formula tells where it is: at
the zero of ``t - c``, or where ``cos(t)`` turns. So all terms of the vector field that depend on
time alone are evaluated where any of them, or its derivative, changes its sign, and at distances
from there. A term that is flat but for that place has a pulse, which a solve has seen if its step
there is shorter than the pulse is wide.

A term that also depends on the state is not looked at, nor what comes out of a switch; where
thousands of terms or places are, some of them are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

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
"""Of a grid on which signs are compared; it reaches a little beyond the window."""

BISECTIONS = 44  # from a gap of the grid to what float64 resolves
BLOCK = 1000
"""Times that are evaluated at once."""
MOST_TERMS, MOST_PLACES = 5000, 10 * BLOCK

AWAY = np.geomspace(1e-8, 5e-3, 16)
"""Of the window: distances at which a pulse may have vanished. Looks are less than a tenth of the
longest one apart."""

FLAT = 4
"""The longest distances at which a term has to be the same."""

TRACE = 1e-10
"""Of the height of a pulse: what is left of it where it has vanished."""

NOISE = 1e3 * float(np.finfo(np.float64).eps)
"""Of a term: what is so low is its rounding and no pulse."""

BESIDE = 0.01
SHORT_SCAN = 100
SMOOTH = frozenset(
    [
        "acos", "acosh", "add", "add_any", "asin", "asinh", "atan", "atan2", "atanh", "cbrt",
        "cos", "cosh", "div", "erf", "erf_inv", "erfc", "exp", "exp2", "expm1", "integer_pow",
        "lgamma", "log", "log1p", "logistic", "mul", "neg", "pow", "rsqrt", "sin", "sinh",
        "sqrt", "square", "sub", "tan", "tanh",
        "broadcast_in_dim", "concatenate", "convert_element_type", "copy", "cumsum", "dot_general",
        "dynamic_slice", "gather", "pad", "reduce_prod", "reduce_sum", "reshape", "rev", "slice",
        "split", "squeeze", "stack", "transpose",
    ]
)  # fmt: skip


class Pulses(NamedTuple):
    """Where pulses are, (P,) and increasing, and at which distances they have vanished, (P,)."""

    centres: Array
    distances: Array

    def unseen(self, starts: Any, lengths: Any, until: float) -> float | None:
        """The first centre at which the step of a solve is longer than the pulse is wide.

        Parameters
        ----------
        starts, lengths
            Of the steps, increasing.
        until
            The last observation: what has vanished before it begins behind it.
        """
        starts, lengths = np.asarray(starts, dtype=float), np.asarray(lengths, dtype=float)
        for centre, distance in zip(*self, strict=True):
            if not centre - distance < until:
                break
            # a little to both sides: a step that ends at the centre sees nothing of it
            beside = centre + distance * np.array([-BESIDE, BESIDE])
            rows = np.searchsorted(starts, beside) - 1
            if np.any(lengths[rows[(rows >= 0) & (rows < len(lengths))]] > distance):
                return float(centre)
        return None


class _OfTime(Evaluator[Any]):
    """Evaluates what depends on time and parameters alone, smoothly; None is anything else."""

    def __init__(self, time: Any) -> None:
        self.terms: list[Any] = [time]
        self.timed = {id(time)}  # identities of values that depend on time; `terms` holds them

    def constant(self, value: Any) -> Any:
        return value

    def stack(self, rows: Sequence[Any]) -> Any:
        return None if any(row is None for row in rows) else self._kept(jnp.stack(rows), rows)

    def row(self, sequence: Any, step: int) -> Any:
        return None if sequence is None else self._kept(sequence[step, ...], [sequence])

    def scan(self, eqn: Any, values: list[Any]) -> list[Any]:
        short = 0 < eqn.params["length"] <= SHORT_SCAN
        return self.unrolled(eqn, values) if short else [None] * len(eqn.outvars)

    def log_add_exp(self, values: list[Any]) -> list[Any] | None:
        if any(value is None for value in values):
            return [None]
        return [self._kept(jnp.logaddexp(*values), values)]

    def primitive(self, eqn: Any, values: list[Any]) -> list[Any]:
        operands = [
            value
            for value, atom in zip(values, eqn.invars, strict=True)
            if not isinstance(atom, Literal)
        ]
        timed = any(id(value) in self.timed for value in operands)
        if any(value is None for value in values) or (timed and eqn.primitive.name not in SMOOTH):
            return [None] * len(eqn.outvars)
        result = eqn.primitive.bind(*values, **eqn.params)
        results = list(result) if eqn.primitive.multiple_results else [result]
        return [self._kept(value, operands) for value in results]

    def _kept(self, result: Any, operands: Sequence[Any]) -> Any:
        """A result, noted if an operand depends on time."""
        if any(id(value) in self.timed for value in operands):
            self.terms.append(result)
            self.timed.add(id(result))
        return result


@identity_cache
def pulses(model: Model) -> Pulses:
    """The pulses of the terms of a vector field that depend on time alone."""
    terms = _terms(model)
    if terms is None:
        return Pulses(np.empty(0), np.empty(0))
    grid = np.linspace(0.0, (1.0 + AWAY[-1]) * model.t_end, POINTS)
    places = _places(terms, grid)
    found = np.concatenate([_vanished(terms, some, model.t_end) for some in _blocks(places)])
    return Pulses(places[np.isfinite(found)], found[np.isfinite(found)])


def _blocks(values: Array) -> list[Array]:
    return [values[start : start + BLOCK] for start in range(0, len(values), BLOCK)]


def _vanished(terms: Terms, places: Array, t_end: float) -> Array:
    """At which distances (C,) a pulse at some places has vanished; infinite without one."""
    here = terms(places)[0]
    size = np.abs(here)
    found = np.full(here.shape, np.inf)
    least, most = np.full(here.shape, np.inf), np.full(here.shape, -np.inf)
    for count, away in enumerate(AWAY[::-1] * t_end, 1):
        for times in (places - away, places + away):
            inside = ((times >= 0.0) & (times <= (1.0 + AWAY[-1]) * t_end))[:, None]
            values = terms(times)[0]
            least = np.where(inside, np.minimum(least, values), least)
            most = np.where(inside, np.maximum(most, values), most)
        with np.errstate(invalid="ignore"):
            height = np.where(here > most, here - most, least - here)
            high = height > NOISE * np.maximum(size, np.maximum(np.abs(least), np.abs(most)))
            flat = high & np.isfinite(height) & (most - least <= TRACE * height)
        if count >= FLAT:  # what is not flat for longer distances is not so for shorter ones
            found = np.where(flat, away, found)
    return np.asarray(found.min(axis=1, initial=np.inf))


def _terms(model: Model) -> Terms | None:
    """The terms that depend on time alone; None without any, as of most models."""
    size = model.n + len(integrand_names(model))
    closed = trace(with_integrals(model), [None, size, model.m], model.name)

    def values(t: Any, p: Any) -> Any:
        evaluator = _OfTime(t)
        evaluator.evaluate(closed, [t, None, p])
        terms = [jnp.ravel(term) for term in evaluator.terms[1:]]
        return jnp.concatenate([jnp.zeros(0), *terms])[:MOST_TERMS]

    nominal = jnp.asarray(model.nominal)
    if not jax.eval_shape(values, jax.ShapeDtypeStruct((), jnp.float64), nominal).size:
        return None
    both = jax.vmap(
        lambda t, p: jax.jvp(lambda t: values(t, p), (t,), (jnp.ones_like(t),)), (0, None)
    )
    program = jax.jit(both)

    def evaluated(times: Array) -> tuple[Array, Array]:
        parts = []
        for some in _blocks(times):  # one shape, one program
            found = program(jnp.asarray(np.resize(some, BLOCK)), nominal)
            parts.append([np.asarray(part)[: len(some)] for part in found])
        values, slopes = (np.concatenate(part) for part in zip(*parts, strict=True))
        return values, slopes

    return evaluated


def _places(terms: Terms, grid: Array) -> Array:
    """Times (C,) at which a term or its derivative changes its sign, and both ends; increasing."""
    low, which, guesses = [], [], []
    for kind, values in enumerate(terms(grid)):
        signs = np.sign(values)
        turned = (signs[:-1] * signs[1:] < 0.0) | ((signs[1:] == 0.0) & (signs[:-1] != 0.0))
        rows, columns = np.nonzero(turned)
        before, after = values[rows, columns], values[rows + 1, columns]
        low.append(rows)
        which.append(np.stack([np.full(len(rows), kind), columns], axis=1))
        guesses.append(rows + before / (before - after))
    rows, chosen, guess = np.concatenate(low), np.concatenate(which), np.concatenate(guesses)
    # what is a multiple of another term has its zeros
    _, some = np.unique(np.round(guess, 9), return_index=True)
    some = some[np.linspace(0, len(some) - 1, min(len(some), MOST_PLACES)).astype(int)]
    ends = grid[[0, -1]] / [1.0, 1.0 + AWAY[-1]]
    places = [ends]
    for part in _blocks(some):
        places.append(_bisected(terms, grid[rows[part]], grid[rows[part] + 1], chosen[part]))
    return np.unique(np.concatenate(places))


def _bisected(terms: Terms, a: Array, b: Array, chosen: Array) -> Array:
    """Both ends (2 C,) of intervals in which a term (kind, column) changes its sign, made short."""
    rows, (kinds, columns) = np.arange(len(a)), chosen.T

    def sign(times: Array) -> Array:
        return np.sign(np.stack(terms(times))[kinds, rows, columns])

    before = sign(a)
    for _ in range(BISECTIONS):
        middle = 0.5 * (a + b)
        same = sign(middle) == before
        a, b = np.where(same, middle, a), np.where(same, b, middle)
    return np.concatenate([a, b])
