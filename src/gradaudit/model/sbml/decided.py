"""Whether formulas with branches are decided at an event, or at a threshold of their own.

An event at which S passes 3 finds S on either side of 3, by rounding. A new value that asks for
``S >= 3`` or ``floor(S)`` there is decided by rounding, too; such a value becomes NaN, so that no
solve gives a result that may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp

from gradaudit.model.sbml.equations import vector_field
from gradaudit.model.sbml.formula import Formula, Relation
from gradaudit.model.sbml.layout import Layout, Point
from gradaudit.model.sbml.memory import AHEAD, along_flow


def decided(layout: Layout, point: Point, values: dict[str, Any], used: Iterable[Formula]) -> Any:
    """`values` at a point, NaN if a branch of a formula changes there."""
    relations = _switching(layout, list(used))
    if not relations:
        return values
    rates = vector_field(layout.system)
    step = AHEAD * jnp.asarray(point.t, jnp.float64)
    clear: Any = True
    for relation in relations:
        value, slope = along_flow(layout, relation, point, rates)
        # A side that does not move is met exactly.
        far = (jnp.abs(value) > step * jnp.abs(slope)) | (slope == 0.0)
        clear = jnp.logical_and(clear, far)
    return {name: jnp.where(clear, value, jnp.nan) for name, value in values.items()}


def _switching(layout: Layout, used: list[Formula]) -> list[Relation]:
    """The switches that formulas and what they look up have along the flow."""
    system = layout.system
    names = system.closure(set().union(*(f.names for f in used)))
    symbols = (system.symbols[n].assignment for n in sorted(names) if n in system.symbols)
    found = [r for f in (*used, *symbols) if f is not None for r in f.relations]
    return [r for r in found if r.jumps and not r.equality and system.moves(r.names)]
