"""Formulas of observables and noise, by SymPy, as functions of arrays with exact derivatives."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from gradaudit.errors import ProblemError

TIME = "time"


@dataclass(frozen=True)
class Expression:
    """A formula of named inputs.

    Attributes
    ----------
    text
        As it is written.
    names
        Its inputs, in the order of the arrays that it takes.
    tree
        The formula as SymPy has it.
    """

    text: str
    names: tuple[str, ...]
    tree: Any

    def value(self, inputs: Any) -> Any:
        """The value (R,) at inputs (R, a), in extended precision."""
        return self._functions[0](inputs)[:, 0]

    def gradient(self, inputs: Any) -> Any:
        """First derivatives (R, a)."""
        return self._functions[1](inputs)

    def hessian(self, inputs: Any) -> Any:
        """Second derivatives (R, a, a)."""
        count = len(self.names)
        found = np.zeros((len(inputs), count, count), np.longdouble)
        pairs = list(itertools.combinations_with_replacement(range(count), 2))
        for (i, j), column in zip(pairs, self._functions[2](inputs).T, strict=True):
            found[:, i, j] = found[:, j, i] = column
        return found

    @cached_property
    def _functions(self) -> tuple[Callable[[Any], Any], ...]:
        symbols = [_symbol(name) for name in self.names]
        first = [sympy.diff(self.tree, symbol) for symbol in symbols]
        second = [
            0 if first[i] == 0 else sympy.diff(first[i], symbols[j])
            for i, j in itertools.combinations_with_replacement(range(len(symbols)), 2)
        ]
        return tuple(_numeric(symbols, trees) for trees in ([self.tree], first, second))


def parsed(text: Any, where: str) -> Expression:
    """The formula of a text in the mathematics of PEtab; a number is one, too.

    Raises
    ------
    ProblemError
        If it cannot be read; `where` says where it is written.
    """
    from petab.v1.math import sympify_petab

    try:
        tree = sympify_petab(text)
    except (ValueError, TypeError, ArithmeticError) as error:
        why = " ".join(str(error).split()) or "it divides by 0"
        raise ProblemError(f"{where}: the formula {text!r} cannot be read: {why}") from error
    return expression(str(text), sympy.sympify(tree))


def checked(formula: Expression, where: str) -> Expression:
    """A formula that is a number.

    Raises
    ------
    ProblemError
        If it is a condition, or has something in it that is not finite.
    """
    if formula.tree.is_Boolean or formula.tree.is_Relational:
        raise ProblemError(
            f"{where}: the formula {formula.text!r} is a condition, not a number. Write "
            "piecewise(1, condition, 0)."
        )
    if formula.tree.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
        raise ProblemError(f"{where}: the formula {formula.text!r} is not finite.")
    return formula


def expression(text: str, tree: Any) -> Expression:
    """A tree of SymPy, with whole numbers as such, so that powers are products."""
    tree = tree.replace(
        lambda part: part.is_Float and part == int(part), lambda part: sympy.Integer(int(part))
    )
    return Expression(text, tuple(sorted(symbol.name for symbol in tree.free_symbols)), tree)


def replaced(outer: Expression, name: str, inner: Expression) -> Expression:
    """The formula `outer` with another formula in place of a name."""
    return expression(outer.text, outer.tree.subs(_symbol(name), inner.tree))


def renamed(formula: Expression, names: Mapping[str, str]) -> Expression:
    """A formula with other names of its inputs, all replaced at once."""
    swaps = {_symbol(old): _symbol(new) for old, new in names.items() if old in formula.names}
    return expression(formula.text, formula.tree.xreplace(swaps)) if swaps else formula


def _symbol(name: str) -> Any:
    return sympy.Symbol(name, real=True)


def _constant(tree: Any) -> Any:
    """The number that a tree is; SymPy writes infinity as oo."""
    found = sympy.N(tree, 30)
    return np.longdouble(float(found)) if found.is_infinite else np.longdouble(str(found))


def _numeric(symbols: Sequence[Any], trees: Sequence[Any]) -> Callable[[Any], Any]:
    """Arrays (R, a) to (R, len(trees)), with common parts computed once."""
    # A kink has no second derivative, and beside it the first one is constant.
    smooth = [
        sympy.sympify(tree).replace(sympy.DiracDelta, lambda *_: sympy.Integer(0)) for tree in trees
    ]
    constant = {i: _constant(t) for i, t in enumerate(smooth) if t.is_number}
    varying = [i for i in range(len(smooth)) if i not in constant]
    function = sympy.lambdify(symbols, [smooth[i] for i in varying], "numpy", cse=True)

    def compute(inputs: Any) -> Any:
        found = np.zeros((len(inputs), len(smooth)), np.longdouble)
        for i, number in constant.items():
            found[:, i] = number
        if varying:
            with np.errstate(all="ignore"):
                columns = function(*np.asarray(inputs, np.longdouble).T)
            for i, column in zip(varying, columns, strict=True):
                found[:, i] = column
        return found

    return compute
