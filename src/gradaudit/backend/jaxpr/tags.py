"""What is known of a value while a jaxpr is evaluated: where it has poles, and where it ends.

A value that was divided by x goes through infinity where x changes its sign, and what is bounded of
it jumps there: ``tanh(1 / x)``. A value that was made of ``sqrt(x)`` is NaN where x is negative,
and what asks for that, as ``isnan``, switches there. Both are seen from x, which is kept for that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax.extend.core import Literal

from gradaudit.backend.jaxpr.walk import inlined_body

MOST = 4  # of one value; what is behind is not kept

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
_MOVED = frozenset(["broadcast_in_dim", "reshape", "squeeze", "transpose", "slice"])


class Tags:
    """Of the variables of one evaluation; `still` are those that only parameters set."""

    def __init__(self, still: Any) -> None:
        self.still: set[Any] = set(still)
        self.poles: dict[Any, tuple[Any, ...]] = {}
        self.domains: dict[Any, tuple[Any, ...]] = {}

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
            self.poles.pop(variable, None)
            self.domains.pop(variable, None)
        if still or not jnp.issubdtype(eqn.outvars[0].aval.dtype, jnp.floating):
            return
        shape = jnp.shape(results[0])
        for known, own in (
            (self.poles, self._pole(eqn, values)),
            (self.domains, self._domain(eqn, values)),
        ):
            everything = (*own, *self._kept(known, eqn))
            found = [tag for tag in everything if jnp.shape(tag) == shape]
            unique = {id(tag): tag for tag in found}
            if unique:
                known[eqn.outvars[0]] = tuple(unique.values())[:MOST]

    def _rename(self, names: Any, atoms: Any) -> None:
        for name, atom in zip(names, atoms, strict=True):
            number = atom is None or isinstance(atom, Literal)
            (self.still.add if number or atom in self.still else self.still.discard)(name)
            for known in (self.poles, self.domains):
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

    def _kept(self, known: Any, eqn: Any) -> list[Any]:
        """What is known of the operands, if that holds for the result as well."""
        name = eqn.primitive.name
        atoms = [atom for atom in eqn.invars if not isinstance(atom, Literal)]
        if name in _MOVED and len(eqn.invars) == 1:
            return [eqn.primitive.bind(tag, **eqn.params) for tag in known.get(atoms[0], ())]
        through = name in _ARITHMETIC or (name in DOMAINS and known is self.domains)
        if name == "div":
            atoms = atoms if known is self.domains else atoms[: eqn.invars[0] in atoms]
        elif not through and (known is self.poles or name not in _SMOOTH):
            return []
        return [tag for atom in atoms for tag in known.get(atom, ())]


_SMOOTH = frozenset(["exp", "expm1", "sin", "cos", "tanh", "logistic", "erf", "atan", "square"])
