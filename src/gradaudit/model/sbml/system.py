"""Which quantities are states, which are parameters, and what the others follow from.

A state has a rate, or jumps. A parameter never changes and is a number in the file. What never
changes and has an initial assignment is derived from the others at t = 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gradaudit.model.sbml.formula import TIME, Formula
from gradaudit.model.sbml.symbols import Symbol, per_volume


@dataclass(frozen=True)
class System:
    """The quantities of a model, sorted.

    Attributes
    ----------
    symbols
        All quantities by id.
    states, parameters
        Ids in the order of y and p.
    varying
        What changes with time, the time included.
    amounts
        States and parameters that y and p have as amounts although formulas take concentrations:
        states in a compartment whose size changes, parameters that the file gives as amounts.
    """

    symbols: dict[str, Symbol]
    states: tuple[str, ...]
    varying: frozenset[str]
    amounts: frozenset[str]
    parameters: tuple[str, ...] = ()

    @property
    def moving(self) -> frozenset[str]:
        """What changes continuously: the time, and the states that have a rate."""
        rated = (s for s in self.states if self.symbols[s].rate or self.symbols[s].flow)
        return frozenset({TIME, *rated})

    def moves(self, names: Iterable[str]) -> bool:
        """Whether what follows from `names` changes between events."""
        return bool(self.closure(names) & self.moving)

    def changed_by(self, assigned: Iterable[str]) -> set[str]:
        """What jumps when `assigned` are given new values.

        A new size of a compartment leaves amounts as they are, and so changes the concentrations
        that are states.
        """
        assigned = set(assigned)
        carried = (s for s in self.states if self.symbols[s].volume in assigned)
        return assigned.union(s for s in carried if s not in self.amounts)

    def unit(self, name: str) -> str:
        """The unit of a state or parameter, as y and p have it."""
        symbol = self.symbols[name]
        return symbol.amount_unit if name in self.amounts else symbol.unit

    def start_unit(self, name: str) -> str:
        """The unit of a parameter or of an initial value, as the file gives its number."""
        symbol = self.symbols[name]
        return symbol.amount_unit if symbol.given_as_amount else symbol.unit

    def rate_names(self, state: str, *, untimed: bool = False) -> set[str]:
        """The names that the rate of a state looks up; `untimed` as in `closure`."""
        symbol = self.symbols[state]
        if symbol.rate is not None:
            return set(_names(symbol.rate, untimed))
        names: set[str] = set()
        for stoichiometry, reaction in symbol.flow:
            names |= _names(stoichiometry, untimed) | set(self.flux(state, reaction))
        if symbol.flow and symbol.factor is not None:
            names |= _names(symbol.factor, untimed)
        return names

    def flux(self, state: str, reaction: str) -> tuple[str, ...]:
        """The name of the rate at which a reaction changes a state; and a divisor if it needs one.

        A concentration changes by the rate over the size of the compartment.
        """
        volume = self.symbols[state].volume
        if not volume or state in self.amounts:
            return (reaction,)
        divided = per_volume(reaction, volume)
        return (divided,) if divided in self.symbols else (reaction, volume)

    def start_names(self, state: str) -> set[str]:
        """The names that the initial value of a state looks up."""
        volume = {self.symbols[state].volume} if state in self.amounts else set()
        return {state} | volume

    def closure(
        self, names: Iterable[str], *, at_start: bool = False, untimed: bool = False
    ) -> set[str]:
        """`names` and all that their values follow from, at any time or at t = 0.

        With `untimed` what stands in comparisons with the time does not count.
        """
        seen: set[tuple[str, bool]] = set()
        waiting = [(name, at_start) for name in names]
        while waiting:
            item = waiting.pop()
            if item not in seen:
                seen.add(item)
                waiting += self._needs(*item, untimed)
        return {name for name, _ in seen}

    def _needs(self, name: str, at_start: bool, untimed: bool) -> list[tuple[str, bool]]:
        symbol = self.symbols.get(name)
        if symbol is None:
            return []
        if symbol.assignment is not None:
            return [(n, at_start) for n in _names(symbol.assignment, untimed)]
        if name in self.states and not at_start:
            return [(symbol.volume, False)] if name in self.amounts else []
        if symbol.initial is not None:
            return [(n, True) for n in _names(symbol.initial, untimed)]
        return [(symbol.volume, at_start)] if symbol.given_as_amount else []


def _names(formula: Formula, untimed: bool) -> frozenset[str]:
    return formula.names_untimed if untimed else formula.names


def classify(symbols: dict[str, Symbol], jumping: Iterable[str]) -> System:
    """Find the states and what varies with them; `jumping` is what events assign to."""
    moving = {s.id for s in symbols.values() if s.rate or s.flow} | set(jumping)
    while True:
        varying = _varying(symbols, moving)
        # The amount of a species is constant, but not its concentration.
        carried = {
            s.id
            for s in symbols.values()
            if s.volume in varying and s.assignment is None and s.id not in moving
        }
        if not carried:
            break
        moving |= carried
    states = tuple(
        s.id
        for species in (True, False)
        for s in symbols.values()
        if s.id in moving and s.assignment is None and (s.kind == "species") == species
    )
    amounts = {
        # A rate rule is about what formulas mean by the name, reactions are about amounts.
        s.id
        for s in symbols.values()
        if (s.volume in varying and s.rate is None if s.id in states else s.given_as_amount)
    }
    return System(symbols, states, frozenset(varying), frozenset(amounts))


def _varying(symbols: dict[str, Symbol], moving: set[str]) -> set[str]:
    varying = moving | {TIME}
    while True:
        more = {
            s.id
            for s in symbols.values()
            if s.id not in varying and s.assignment is not None and s.assignment.names & varying
        }
        if not more:
            return varying
        varying |= more


def parameters_of(system: System, needed: set[str], fixed: set[str]) -> tuple[str, ...]:
    """What is needed, never changes, is a number in the file, and is not `fixed`."""
    kinds = ("parameter", "species", "compartment")
    return tuple(
        s.id
        for kind in kinds
        for s in system.symbols.values()
        if s.kind == kind
        and s.id in needed - fixed - system.varying
        and s.assignment is None
        and s.initial is None
    )


def formulas(system: System, names: Iterable[str]) -> list[Formula]:
    """The formulas that are evaluated all the time for the values of `names` and of the rates."""
    rates = [system.symbols[name].rate for name in system.states]
    values = [system.symbols[name].assignment for name in sorted(names) if name in system.symbols]
    return [f for f in (*rates, *values) if f is not None]
