"""The remembered truth of conditions: what it becomes at a threshold, and after a jump."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from gradaudit.model.sbml.conditions import Atom, Condition
from gradaudit.model.sbml.equations import Lookup, vector_field
from gradaudit.model.sbml.formula import Relation
from gradaudit.model.sbml.layout import Layout, Point
from gradaudit.model.sbml.plans import Plan

AHEAD = 1e-9
"""Of the time: how far along the flow the side of a threshold is looked at."""
FIRST = 1e-12
"""Of the window: the same at t = 0."""


class Memory:
    """The conditions that are remembered.

    At a threshold rounding decides on which side of it a state is, and of what crosses zero at the
    same time. So conditions are asked a little later along the flow. What a jump has just set is
    asked as it is: there, equality counts.
    """

    def __init__(self, layout: Layout, plans: Iterable[Plan], t_end: float) -> None:
        self.layout, self.t_end = layout, t_end
        self.system = layout.system
        self.plans = [plan for plan in plans if plan.memory]
        self._rates = vector_field(self.system)

    def differences(self) -> dict[str, tuple[Atom, list[Plan]]]:
        """The differences that cross zero along the flow, each with the plans that use it."""
        found: dict[str, tuple[Atom, list[Plan]]] = {}
        for plan in self.plans:
            for atom in plan.trigger.condition.atoms:
                if atom.equality or not self.system.moves(atom.names):
                    continue
                _, users = found.setdefault(atom.key, (atom, []))
                if plan not in users:
                    users.append(plan)
        return found

    def crossed(self, users: Iterable[Plan]) -> Callable[[Any, Any, Any], Any]:
        """The jump where a difference crosses zero: the conditions of `users` anew."""
        users = list(users)

        def jump(t: Any, y: Any, p: Any) -> Any:
            point = Point(self.layout, t, y, p)
            ahead = self._ahead(point)
            return point.vector(
                {u.memory: _number(u.trigger.condition.evaluate(ahead)) for u in users}
            )

        return jump

    def after(self, point: Point, changed: Iterable[str]) -> dict[str, Any]:
        """The conditions anew that an assignment to `changed` may alter, at the point after it."""
        changed = self.system.changed_by(changed)

        def touched(condition: Condition | Atom) -> bool:
            return bool(self.system.closure(condition.names) & changed)

        ahead = self._ahead(point)

        def truth(atom: Atom) -> Any:
            return atom.holds(atom.difference(point.scope)) if touched(atom) else ahead(atom)

        return {
            plan.memory: _number(plan.trigger.condition.evaluate(truth))
            for plan in self.plans
            if touched(plan.trigger.condition)
        }

    def truths(self, holding: Mapping[str, bool]) -> dict[str, float]:
        """The memories from the truth of each event's condition."""
        return {plan.memory: float(holding[plan.trigger.name]) for plan in self.plans}

    def _ahead(self, point: Point) -> Callable[[Atom], Any]:
        """The truth of an atom, a little later along the flow."""
        step = AHEAD * point.t + FIRST * self.t_end

        def truth(atom: Atom) -> Any:
            if atom.equality or not self.system.moves(atom.names):
                return atom.holds(atom.difference(point.scope))
            value, slope = along_flow(self.layout, atom, point, self._rates)
            return atom.holds(value + step * slope)

        return truth


def along_flow(layout: Layout, atom: Atom | Relation, point: Point, rates: Any) -> tuple[Any, Any]:
    """The difference of a comparison, and its derivative along the flow."""
    time = jnp.asarray(point.t, jnp.float64)
    y, p = point.y, point.p
    if layout.system.closure(atom.names) & set(layout.system.states):
        flow = rates(time, y, p)
    else:  # only the time moves it
        flow = jnp.zeros_like(y)

    def difference(t: Any, y: Any) -> Any:
        return atom.difference(Lookup(layout.system, t, y, p))

    value, slope = jax.jvp(difference, (time, y), (jnp.ones_like(time), flow))
    return value, slope


def _number(truth: Any) -> Any:
    return jnp.where(truth, 1.0, 0.0)
