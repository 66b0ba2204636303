"""Formulas in the infix notation of SBML Level 3, which libSBML reads."""

from __future__ import annotations

from typing import Any

import sympy

from gradaudit.errors import ProblemError
from gradaudit.problem.formulas import Expression

SAME = {
    *(h + f for f in ("sin", "cos", "tan", "sec", "csc", "cot") for h in ("", "a")),
    *(h + f + "h" for f in ("sin", "cos", "tan", "sec", "csc", "cot") for h in ("", "a")),
    "exp", "floor", "factorial",
}  # fmt: skip
OTHER = {"log": "ln", "Abs": "abs", "Max": "max", "Min": "min", "ceiling": "ceil"}
"""Functions of SymPy that SBML has, by the same name or another one."""


def infix(formula: Expression) -> str:
    """A formula as libSBML reads it.

    Raises
    ------
    ProblemError
        If it has a function that SBML does not have.
    """
    try:
        return _text(formula.tree)
    except KeyError as error:
        raise ProblemError(
            f"the formula {formula.text!r} has {error.args[0]!r}, which SBML does not have."
        ) from error


def _text(tree: Any) -> str:
    if tree in (True, False, sympy.true, sympy.false):
        return "true" if tree else "false"
    if tree.is_Symbol:
        return str(tree.name)
    if tree.is_number and not tree.args:
        return _number(tree)
    if isinstance(tree, sympy.Piecewise):
        parts = []
        for value, condition in tree.args:
            parts += [_text(value), *([] if condition == sympy.true else [_text(condition)])]
        return f"piecewise({', '.join(parts)})"
    parts = [_text(part) for part in tree.args]
    if isinstance(tree, sympy.core.relational.Relational):
        return f"({parts[0]} {tree.rel_op} {parts[1]})"
    for kind, sign in ((sympy.Add, "+"), (sympy.Mul, "*"), (sympy.And, "&&"), (sympy.Or, "||")):
        if isinstance(tree, kind):
            return f"({f' {sign} '.join(parts)})"
    if isinstance(tree, sympy.Not):
        return f"!({parts[0]})"
    if isinstance(tree, sympy.Pow):
        return f"pow({parts[0]}, {parts[1]})"
    name = type(tree).__name__
    return f"{name if name in SAME else OTHER[name]}({', '.join(parts)})"


def _number(tree: Any) -> str:
    if tree.is_Integer:
        return f"({tree})"
    if tree.is_Rational:
        return f"({tree.p} / {tree.q})"
    return f"({float(tree)!r})"
