"""What is known of a value while a jaxpr is evaluated: where it has poles, where it ends, its root.

A value that was divided by x goes through infinity where x changes its sign, and what is bounded of
it jumps there: ``tanh(1 / x)``. A value that was made of ``sqrt(x)`` is NaN where x is negative,
and what asks for that, as ``isnan``, switches there. The root of what was made as a square of x
has a kink where x changes its sign. All are seen from x, which is kept for that: through arithmetic
and through what only moves entries of arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from gradaudit.backend.jaxpr.hidden_switches import squared
from gradaudit.backend.jaxpr.walk import inlined_body

MOST = 4  # of one value; what is behind is not kept, or kept as a product

DOMAINS: dict[str, Callable[..., Any]] = {
    "sqrt": lambda x: x,
    "rsqrt": lambda x: x,
    "log": lambda x: x,
    "log1p": lambda x: x + 1.0,
    "asin": lambda x: (1.0 - x) * (1.0 + x),
    "acos": lambda x: (1.0 - x) * (1.0 + x),
    "atanh": lambda x: (1.0 - x) * (1.0 + x),
    "acosh": lambda x: x - 1.0,
    "pow": lambda x, y: x,
}
"""By the primitive: what is positive where its result is a number."""

_ARITHMETIC = frozenset(["neg", "mul", "add", "sub", "add_any", "integer_pow", "copy"])
_MOVED = frozenset(
    [
        "broadcast_in_dim", "reshape", "squeeze", "transpose", "slice", "rev", "pad", "stack",
        "concatenate", "select_n", "gather", "scatter", "dynamic_slice", "dynamic_update_slice",
        "convert_element_type", "reduce_precision", "stop_gradient",
    ]
)  # fmt: skip
_MIXED = frozenset(["reduce_sum", "reduce_max", "reduce_min", "cumsum", "dot_general"])


class Tags:
    """Of the variables of one evaluation; `still` are those that only parameters set."""

    def __init__(self, still: Any) -> None:
        self.still: set[Any] = set(still)
        self.poles: dict[Any, tuple[Any, ...]] = {}
        self.domains: dict[Any, tuple[Any, ...]] = {}
        self.squares: dict[Any, tuple[Any, ...]] = {}

    def enter(self, eqn: Any) -> None:
        """Before a call is evaluated: its operands are known inside by other names."""
        body: Any = inlined_body(eqn)
        inner = getattr(body, "jaxpr", body)
        self._rename(inner.constvars, [None] * len(inner.constvars))
        self._rename(inner.invars, eqn.invars)

    def leave(self, eqn: Any, values: list[Any], results: list[Any]) -> None:
        """After an equation: what is known of its results."""
        body = inlined_body(eqn)
        if body is not None:
            self._rename(eqn.outvars, getattr(body, "jaxpr", body).outvars)
            return
        still = all(isinstance(atom, Literal) or atom in self.still for atom in eqn.invars)
        for variable in eqn.outvars:
            (self.still.add if still else self.still.discard)(variable)
            for known in (self.poles, self.domains, self.squares):
                known.pop(variable, None)
        if still or not jnp.issubdtype(eqn.outvars[0].aval.dtype, jnp.floating):
            return
        shape = jnp.shape(results[0])
        for known, own in (
            (self.poles, self._pole(eqn, values)),
            (self.domains, self._domain(eqn, values)),
            (self.squares, self._root(eqn, values)),
        ):
            everything = (*own, *self._kept(known, eqn, values))
            found = [
                tag if jnp.shape(tag) == shape else jnp.broadcast_to(tag, shape)
                for tag in everything
                if jnp.shape(tag) in (shape, ())
            ]
            unique = {id(tag): tag for tag in found}
            if unique:
                known[eqn.outvars[0]] = tuple(unique.values())[:MOST]

    def _rename(self, names: Any, atoms: Any) -> None:
        for name, atom in zip(names, atoms, strict=True):
            number = atom is None or isinstance(atom, Literal)
            (self.still.add if number or atom in self.still else self.still.discard)(name)
            for known in (self.poles, self.domains, self.squares):
                tags = None if number else known.get(atom)
                known.pop(name, None)
                if tags is not None:
                    known[name] = tags

    def _pole(self, eqn: Any, values: list[Any]) -> tuple[Any, ...]:
        """What changes its sign where the result goes through infinity."""
        name = eqn.primitive.name
        if name == "div" and not isinstance(eqn.invars[1], Literal):
            return () if eqn.invars[1] in self.still else (values[1],)
        if name == "integer_pow" and eqn.params["y"] < 0 and eqn.params["y"] % 2:
            return (values[0],)
        return (jnp.cos(values[0]),) if name == "tan" else ()

    def _domain(self, eqn: Any, values: list[Any]) -> tuple[Any, ...]:
        of = DOMAINS.get(eqn.primitive.name)
        return () if of is None else (of(*values),)

    def _root(self, eqn: Any, values: list[Any]) -> tuple[Any, ...]:
        """What the result is the square of."""
        name = eqn.primitive.name
        position = squared(eqn)
        if position is not None:
            return (values[position],)
        if name not in ("mul", "div") or (isinstance(eqn.invars[0], Literal) and name == "div"):
            return ()
        # of a multiple of a square
        for k, atom in enumerate(eqn.invars if name == "mul" else eqn.invars[:1]):
            other = eqn.invars[1 - k]
            if isinstance(other, Literal) or other in self.still:
                root = jnp.sqrt(values[1 - k] if name == "mul" else 1.0 / values[1 - k])
                known = () if isinstance(atom, Literal) else self.squares.get(atom, ())
                return tuple(tag * root for tag in known)
        return ()

    def _kept(self, known: Any, eqn: Any, values: list[Any]) -> list[Any]:
        """What is known of the operands, if that holds for the result as well."""
        name = eqn.primitive.name
        tags = [() if isinstance(a, Literal) else known.get(a, ()) for a in eqn.invars]
        if not any(tags):
            return []
        if name == "select_n" and known is self.poles:
            # A quotient with its limit where that is 0 / 0, as in the rates of Hodgkin and Huxley,
            # has no pole; whether another choice keeps one out is not known.
            return []
        if name in _MOVED:
            return _moved(eqn, values, tags)
        if known is self.squares:
            alone = name == "reduce_sum" and np.size(values[0]) == eqn.outvars[0].aval.size
            return [jnp.reshape(x, eqn.outvars[0].aval.shape) for x in tags[0]] if alone else []
        if name in _MIXED:
            entries = [jnp.ravel(tag) for operand in tags for tag in operand]
            return _few(jnp.concatenate(entries))
        through = name in _ARITHMETIC or (name in DOMAINS and known is self.domains)
        if name == "div":
            tags = tags if known is self.domains else tags[:1]
        elif not through and (known is self.poles or name not in _SMOOTH):
            return []
        return [tag for operand in tags for tag in operand]


def _moved(eqn: Any, values: list[Any], tags: list[Any]) -> list[Any]:
    """The tags of an equation that moves entries: moved alike, 1 where an entry has none."""
    found = []
    for k in range(max(map(len, tags))):
        operands = [
            value
            if not jnp.issubdtype(jnp.result_type(value), jnp.floating)
            else own[k]
            if k < len(own)
            else jnp.ones_like(value)
            for value, own in zip(values, tags, strict=True)
        ]
        found.append(eqn.primitive.bind(*operands, **eqn.params))
    return found


def _few(entries: Any) -> list[Any]:
    """Entries that change their signs as numbers, of many the last ones as a product."""
    if len(entries) <= MOST:
        return list(entries)
    return [*entries[: MOST - 1], jnp.prod(entries[MOST - 1 :])]


_SMOOTH = frozenset(["exp", "expm1", "sin", "cos", "tanh", "logistic", "erf", "atan", "square"])
