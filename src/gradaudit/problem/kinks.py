"""Kinks and jumps of the formulas of observables and noise: where they have no derivative.

Absolute values, signs, maxima and branches each switch where a term is zero. On either
side the formula is smooth, so that only a measurement at such a zero, as far as the bounds tell, is
doubtful; and only if the term changes with a parameter.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from gradaudit.problem.formulas import Expression, expression
from gradaudit.problem.inputs import Column

ROUNDING = 64 * np.finfo(np.longdouble).eps


def terms_of_switches(formula: Expression) -> list[Expression]:
    """The terms of which a formula has a kink or a jump where one of them is zero."""
    tree, found = formula.tree, []
    for part in tree.atoms(sympy.Abs, sympy.sign, sympy.Heaviside):
        found.append(part.args[0])
    for part in tree.atoms(sympy.Max, sympy.Min):
        found += [a - b for a, b in itertools.combinations(part.args, 2)]
    for part in tree.atoms(sympy.core.relational.Relational):
        if not any(side.is_Boolean for side in (part.lhs, part.rhs)):
            found.append(part.lhs - part.rhs)
    return [expression(str(term), term) for term in found if term.free_symbols]


def at_switches(
    formula: Expression, names: Sequence[str], columns: Sequence[Column], z: Any
) -> Any:
    """Whether R measurements are where a formula, or an input of it, has a kink or a jump, (R,).

    Parameters
    ----------
    names, columns, z
        The inputs of the observable, with their values (R, a).
    """
    found = np.zeros(len(z), bool)
    for name in formula.names:
        own_column = columns[names.index(name)]
        if own_column.doubtful is not None:
            found |= own_column.doubtful
    for term in terms_of_switches(formula):
        own = [names.index(name) for name in term.names]
        inputs = z[:, own]
        value, slope = term.value(inputs), np.abs(term.gradient(inputs))
        wrong = np.stack([columns[k].bound for k in own], axis=1) + ROUNDING * np.abs(inputs)
        moves = np.stack(
            [
                np.any((np.abs(columns[k].derivative) + columns[k].derivative_bound) > 0, axis=1)
                for k in own
            ],
            axis=1,
        )
        with np.errstate(invalid="ignore"):
            near = np.abs(value) <= (slope * wrong).sum(axis=1)
            found |= near & np.any(moves & (slope > 0.0), axis=1)
    return found
