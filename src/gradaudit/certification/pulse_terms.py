"""The terms of a vector field and of event functions along the path of a solve.

For `hidden_pulses`.

Terms that depend on the state are looked at only in a vector field with functions of the state that
vanish in floating point, as exp does; not with powers and quotients alone.
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

BLOCK = 1000
"""Times that are evaluated at once."""
MOST_TERMS = 5000
MOST_OF_STATES = 500
"""Of a vector field whose terms of the state are looked at: that takes seconds."""
SHORT_SCAN = 100

QUICK = {
    "xla_backend_optimization_level": 0,
    "xla_disable_hlo_passes": "fusion,instruction-fusion,cpu-instruction-fusion",
}
"""A program of all terms is called some hundred times at most. Fused, each term is computed again
in those that it is in. Not so, that of a neuron compiles in 1.8 instead of 10 s of processor time,
and a call takes 40 instead of 16 ms."""

SMOOTH = frozenset(
    [
        "acos", "acosh", "add", "add_any", "asin", "asinh", "atan", "atan2", "atanh", "cbrt",
        "cos", "cosh", "div", "erf", "erf_inv", "erfc", "exp", "exp2", "expm1", "integer_pow",
        "lgamma", "log", "log1p", "logistic", "mul", "neg", "pow", "rsqrt", "sin", "sinh",
        "sqrt", "square", "sub", "tan", "tanh",
    ]
)  # fmt: skip
SWITCHING = frozenset(
    [
        "abs", "ceil", "clamp", "floor", "max", "min", "reduce_max", "reduce_min", "rem", "round",
        "select_n", "sign", "and", "eq", "ge", "gt", "is_finite", "le", "lt", "ne", "not", "or",
        "xor",
    ]
)  # fmt: skip
MOVING = frozenset(
    [
        "broadcast_in_dim", "concatenate", "convert_element_type", "copy", "cumsum", "dot_general",
        "dynamic_slice", "dynamic_update_slice", "gather", "pad", "reduce_prod", "reduce_sum",
        "reshape", "rev", "scatter", "scatter-add", "slice", "split", "squeeze", "stack",
        "transpose",
    ]
)  # fmt: skip
EVALUATED = SMOOTH | SWITCHING | MOVING
VANISHING = frozenset(["cosh", "erf", "erfc", "exp", "exp2", "expm1", "logistic", "sinh", "tanh"])


class Path(NamedTuple):
    """States (K, n) at times (K,) of a solve, straight in between; where it jumps, twice a time."""

    times: Array
    states: Array

    def at(self, times: Array) -> tuple[Array, Array]:
        """States and their slopes (G, n)."""
        rows = np.searchsorted(self.times, times, side="right") - 1
        rows = np.clip(rows, 0, len(self.times) - 2)
        span = (self.times[rows + 1] - self.times[rows])[:, None]
        rise = self.states[rows + 1] - self.states[rows]
        slopes = np.divide(rise, span, out=np.zeros_like(rise), where=span > 0.0)
        return self.states[rows] + slopes * (times - self.times[rows])[:, None], slopes


class Terms:
    """The terms of a model, compiled.

    Attributes
    ----------
    of_states
        Whether some of them depend on states: then `along` needs a path.
    timed, of_field
        (K,) Which depend on time alone, and which are not of event functions.
    """

    def __init__(self, model: Model) -> None:
        closed = trace(_functions(model), [None, self._size(model), model.m], model.name)
        self.model = model
        found = self._evaluated(closed, states=True)
        count = sum(int(np.prod(term.shape)) for term in found.terms)
        self.of_states = found.vanishing and count <= MOST_OF_STATES
        if not self.of_states:
            found = self._evaluated(closed, states=False)
        widths = [int(np.prod(term.shape)) for term in found.terms]
        self.timed = ~np.repeat(np.array(found.stated, dtype=bool), widths)[:MOST_TERMS]
        self.of_field = np.arange(len(self.timed)) < self._of_field()
        self.nominal = jnp.asarray(model.nominal)

        def values(t: Any, y: Any, p: Any) -> Any:
            evaluator = _Evaluator(t, y if self.of_states else None)
            evaluator.evaluate(closed, [t, y if self.of_states else None, p])
            terms = [jnp.ravel(term) for term in evaluator.terms]
            return jnp.concatenate([jnp.zeros(0), *terms])[:MOST_TERMS]

        def both(t: Any, y: Any, rate: Any, p: Any) -> Any:
            return jax.jvp(lambda t, y: values(t, y, p), (t, y), (jnp.ones_like(t), rate))

        self._program = jax.jit(jax.vmap(both, (0, 0, 0, None)), compiler_options=QUICK)

    @staticmethod
    def _size(model: Model) -> int:
        return model.n + len(integrand_names(model))

    def _of_field(self) -> int:
        """How many terms the vector field has; those of the event functions come behind them."""
        if not self.model.events:
            return MOST_TERMS
        sizes = [None, self._size(self.model), self.model.m]
        closed = trace(with_integrals(self.model), sizes, self.model.name)
        found = self._evaluated(closed, states=self.of_states)
        return sum(int(np.prod(term.shape)) for term in found.terms)

    def _evaluated(self, closed: Any, *, states: bool) -> _Evaluator:
        """What the terms are, without their values."""
        kept: list[_Evaluator] = []

        def run(t: Any, y: Any, p: Any) -> None:
            evaluator = _Evaluator(t, y if states else None)
            evaluator.evaluate(closed, [t, y if states else None, p])
            kept.append(evaluator)

        shape = jax.ShapeDtypeStruct
        size, number = self._size(self.model), jnp.float64
        jax.eval_shape(run, *(shape(s, number) for s in ((), (size,), (self.model.m,))))
        return kept[0]

    def along(self, times: Array, path: Path | None, *, moved: float = 0.0) -> tuple[Array, Array]:
        """The terms at some times and their derivatives along the path, (G, K) each.

        With the states moved by so much of them, up or down.
        """
        parts = []
        shift = 1.0 + moved * np.resize([1.0, -1.0, -1.0, 1.0, 1.0], self._size(self.model))
        for start in range(0, len(times), BLOCK):
            some = times[start : start + BLOCK]
            there = np.zeros((2, BLOCK, self._size(self.model)))  # one shape, one program
            if self.of_states and path is not None:
                for row, own in zip(there, path.at(some), strict=True):
                    row[: len(some), : own.shape[1]] = own
                there[0] *= shift
            found = self._program(jnp.asarray(np.resize(some, BLOCK)), *there, self.nominal)
            parts.append([np.asarray(part)[: len(some)] for part in found])
        values, slopes = (np.concatenate(part) for part in zip(*parts, strict=True))
        return values, slopes


def _functions(model: Model) -> Callable[..., Any]:
    """The vector field, the integrands and the event functions, one behind the other."""
    field = with_integrals(model)

    def whole(t: Any, z: Any, p: Any) -> list[Any]:
        y = z[: model.n]
        return [field(t, z, p), *(event.when(t, y, p) for event in model.events.values())]

    return whole


@identity_cache
def terms_of(model: Model) -> Terms | None:
    """The terms of a vector field; None without any that a pulse could be in."""
    terms = Terms(model)
    return terms if len(terms.timed) else None


def needs_path(model: Model) -> bool:
    """Whether pulses of the model are looked for along the path of a solve."""
    terms = terms_of(model)
    return terms is not None and terms.of_states


class _Evaluator(Evaluator[Any]):
    """Evaluates what depends on time and parameters alone, or on a state, too; None is no value.

    Attributes
    ----------
    terms, stated
        The results that depend on time or on a state, and whether on a state.
    vanishing
        Whether a function that vanishes in floating point is applied to what depends on a state.
    """

    def __init__(self, time: Any, state: Any) -> None:
        self.terms: list[Any] = []
        self.stated: list[bool] = []
        self.vanishing = False
        self._held: list[Any] = [time, state]  # so that no identity is given again
        self._timed, self._stated = {id(time)}, set() if state is None else {id(state)}

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
        self.vanishing |= any(id(value) in self._stated for value in values)
        return [self._kept(jnp.logaddexp(*values), values)]

    def primitive(self, eqn: Any, values: list[Any]) -> list[Any]:
        name = eqn.primitive.name
        operands = [
            value
            for value, atom in zip(values, eqn.invars, strict=True)
            if not isinstance(atom, Literal)
        ]
        stated = any(id(value) in self._stated for value in operands)
        moving = stated or any(id(value) in self._timed for value in operands)
        if any(value is None for value in values) or (moving and name not in EVALUATED):
            return [None] * len(eqn.outvars)
        self.vanishing |= stated and name in VANISHING
        result = eqn.primitive.bind(*values, **eqn.params)
        results = list(result) if eqn.primitive.multiple_results else [result]
        return [self._kept(value, operands) for value in results]

    def _kept(self, result: Any, operands: Sequence[Any]) -> Any:
        """A result, noted if an operand depends on time or on a state."""
        stated = any(id(value) in self._stated for value in operands)
        if stated or any(id(value) in self._timed for value in operands):
            self._held.append(result)
            (self._stated if stated else self._timed).add(id(result))
            if jnp.issubdtype(result.dtype, jnp.floating):
                self.terms.append(result)
                self.stated.append(stated)
        return result
