"""The vector y of a model: its states, and behind them auxiliary states that only events change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from gradaudit.model.sbml.equations import Lookup, stacked
from gradaudit.model.sbml.formula import Formula
from gradaudit.model.sbml.system import System

Field = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class Layout:
    """The names behind y, in order: states of the system, then `auxiliary` ones."""

    system: System
    auxiliary: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of states that are no auxiliary ones."""
        return len(self.system.states)

    def index(self, name: str) -> int:
        """The position of an auxiliary state in y."""
        return self.count + self.auxiliary.index(name)

    def entry(self, name: str) -> Field:
        """An auxiliary state as a function of (t, y, p)."""
        index = self.index(name)
        return lambda t, y, p: jnp.asarray(y)[index]

    def lookup(self, t: Any, y: Any, p: Any) -> Callable[[str], Any]:
        """What formulas of the file mean by each id at a point, rules included."""
        return Point(self, t, y, p).scope


class Point:
    """A point (t, y, p): what names mean there, and what an assignment makes of it."""

    def __init__(self, layout: Layout, t: Any, y: Any, p: Any) -> None:
        self.layout, self.t, self.p = layout, t, p
        entries = list(jnp.unstack(jnp.asarray(y)))
        self.states = entries[: layout.count]
        self.auxiliary = dict(zip(layout.auxiliary, entries[layout.count :], strict=True))
        self._scope: Lookup | None = None

    @property
    def y(self) -> Any:
        """The states without auxiliary ones, (n,)."""
        return stacked(self.states)

    @property
    def scope(self) -> Lookup:
        """What formulas of the file mean by each name."""
        if self._scope is None:
            self._scope = Lookup(self.layout.system, self.t, self.y, self.p)
        return self._scope

    def vector(self, changed: Mapping[str, Any] | None = None) -> Any:
        """y with changed auxiliary states."""
        auxiliary = {**self.auxiliary, **(changed or {})}
        return stacked([*self.states, *(auxiliary[name] for name in self.layout.auxiliary)])

    def values(self, formulas: Mapping[str, Formula]) -> dict[str, Any]:
        """The values of formulas here."""
        return {name: f.value(self.scope) for name, f in formulas.items()}

    def assigned(self, new: Mapping[str, Any]) -> Point:
        """The point with new values of states, as formulas mean them."""
        system = self.layout.system
        states = []
        for name, old in zip(system.states, self.states, strict=True):
            # A new concentration is that in the old size; then the size changes, and no amount.
            value = self.scope.stored(name, new[name]) if name in new else old
            compartment = system.symbols[name].volume
            if compartment in new and name not in system.amounts:
                value = value * self.scope(compartment) / new[compartment]
            states.append(value)
        auxiliary = [self.auxiliary[name] for name in self.layout.auxiliary]
        return Point(self.layout, self.t, stacked([*states, *auxiliary]), self.p)
