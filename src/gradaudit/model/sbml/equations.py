"""The functions of t, y and p: rates, initial values, and what formulas look up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax.interpreters.partial_eval import DynamicJaxprTracer

from gradaudit.errors import ModelError
from gradaudit.model.sbml.formula import TIME
from gradaudit.model.sbml.system import System


@dataclass(frozen=True)
class _Amount:
    """An amount in y or p, whose concentration is computed when it is first asked for."""

    value: Any
    volume: str


class Lookup:
    """The value of every name at (t, y, p), computed once, when it is first asked for.

    Without `y` it is the start: t is 0 and states have their initial values.
    """

    def __init__(self, system: System, t: Any, y: Any | None, p: Any) -> None:
        self.system, self.p = system, p
        self.at_start = y is None
        self.start: Lookup | None = None
        self.unfinished: set[str] = set()
        self.values: dict[str, Any] = {TIME: t}
        # The initial value of a state may be a parameter; after t = 0 the name is the state's.
        given = {name for name in system.parameters if system.symbols[name].given_as_amount}
        vectors = [(system.parameters, p, given)]
        vectors += [] if y is None else [(system.states, y, set(system.amounts))]
        for names, vector, amounts in vectors:
            for name, value in zip(names, _entries(vector), strict=True):
                volume = system.symbols[name].volume
                self.values[name] = _Amount(value, volume) if name in amounts else value

    def __call__(self, name: str) -> Any:
        value = self.values.get(name)
        if value is None:
            if name in self.unfinished:
                raise ModelError(f"the value of {name!r} depends on itself.")
            self.unfinished.add(name)
            value = self.values[name] = self._compute(name)
        elif isinstance(value, _Amount):
            value = self.values[name] = value.value / self(value.volume)
        return value

    def _compute(self, name: str) -> Any:
        symbol = self.system.symbols.get(name)
        if symbol is None:
            raise ModelError(f"a formula has the name {name!r}, which the model does not define.")
        if symbol.assignment is not None:
            return symbol.assignment.value(self)
        if symbol.kind == "reaction":
            raise ModelError(f"reaction {name!r} has no kinetic law; give it one.")
        if not self.at_start:  # it never changes, so it is what it was at the start
            if self.start is None:
                self.start = Lookup(self.system, 0.0, None, self.p)
            return self.start(name)
        if symbol.initial is not None:
            return symbol.initial.value(self)
        if not math.isfinite(symbol.number):
            raise ModelError(
                f"{symbol.kind} {name!r} has no finite value, and the equations need it; set one "
                "in the file."
            )
        return symbol.number / self(symbol.volume) if symbol.given_as_amount else symbol.number

    def stored(self, name: str, value: Any) -> Any:
        """The value of a state as y has it, from what formulas mean by its name."""
        if name not in self.system.amounts:
            return value
        return value * self(self.system.symbols[name].volume)


def _entries(vector: Any) -> Sequence[Any]:
    """The entries of a vector (k,).

    To unstack is one operation of a trace, and a program to compile for numbers: by far the
    slowest of an evaluation without a trace.
    """
    values = jnp.asarray(vector)
    if isinstance(values, DynamicJaxprTracer):
        return jnp.unstack(values)
    return [values[k] for k in range(len(values))]


def vector_field(system: System, idle: int = 0) -> Callable[[Any, Any, Any], Any]:
    """f(t, y, p) -> (n,), with `idle` auxiliary states at the end that only events change."""
    count = len(system.states)

    def rates(t: Any, y: Any, p: Any) -> Any:
        scope = Lookup(system, t, jnp.asarray(y)[:count], p)
        return stacked([*(_rate(scope, name) for name in system.states), *([0.0] * idle)])

    return rates


def initial_state(system: System) -> Callable[[Any], Any]:
    """y0(p) -> (n,)."""

    def start(p: Any) -> Any:
        scope = Lookup(system, 0.0, None, p)
        return stacked([scope.stored(name, scope(name)) for name in system.states])

    return start


def stacked(values: list[Any]) -> Any:
    """Scalars as a vector of float64."""
    return jnp.stack([jnp.asarray(value, jnp.float64) for value in values])


def _rate(scope: Lookup, name: str) -> Any:
    symbol = scope.system.symbols[name]
    if symbol.rate is not None:
        return symbol.rate.value(scope)
    if not symbol.flow:
        return 0.0
    terms = []
    for stoichiometry, reaction in symbol.flow:
        rate, *divisor = map(scope, scope.system.flux(name, reaction))
        number = stoichiometry.value(scope)
        rate = rate if not divisor or _is_one(divisor[0]) else rate / divisor[0]
        terms.append(rate if _is_one(number) else number * rate)
    total = sum(terms[1:], start=terms[0])
    return total if symbol.factor is None else total * symbol.factor.value(scope)


def _is_one(value: Any) -> bool:
    return isinstance(value, float) and value == 1.0
