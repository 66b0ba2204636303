"""Formulas of observables and noise, by SymPy, as functions of arrays with exact derivatives."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.precedence import PRECEDENCE

from gradaudit.certification.heyoka.precision import QUAD, available
from gradaudit.errors import ProblemError

TIME = "time"

EXACT = 60
"""Digits of the numbers in a formula, and of what follows from numbers alone."""

LARGEST = 2**53
"""Whole numbers up to it are written as such."""

SAMPLES = 8
"""Points beside each other at which float64 is compared with extended precision."""

NUDGE = 64 * np.finfo(np.float64).eps
"""How far they are from the point itself, in relation: the last digits of inputs that may be round
numbers are any, and the formula is the same."""

FINER = float(8 * np.finfo(np.longdouble).eps / np.finfo(np.float64).eps)
"""Of what a formula is off by in float64 at the worst of them, what it may be off by in extended
precision: 8 times what that has in digits."""


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
        """The value (R,) at inputs (R, a), in extended precision, or in quad if they are."""
        return self._functions[0](inputs)[:, 0]

    def gradient(self, inputs: Any) -> Any:
        """First derivatives (R, a)."""
        return self._functions[1](inputs)

    def off(self, inputs: Any) -> tuple[Any, Any]:
        """By how much values (R,) and first derivatives (R, a) may be off, where terms cancel.

        From what float64 makes of the same operations, which shows how they enlarge rounding. A
        name alone is no operation.
        """
        if self.tree.is_Symbol:
            return np.zeros(len(inputs)), np.zeros((len(inputs), len(self.names)))
        value, slope = (_off(function, inputs) for function in self._functions[:2])
        return value[:, 0], slope

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
        real = self.tree.replace(sympy.Abs, _Size).replace(sympy.sign, _Sign)
        first = [sympy.diff(real, symbol) for symbol in symbols]
        second = [
            0 if first[i] == 0 else sympy.diff(first[i], symbols[j])
            for i, j in itertools.combinations_with_replacement(range(len(symbols)), 2)
        ]
        return tuple(_numeric(symbols, trees) for trees in ([real], first, second))


class _Sign(sympy.Function):
    """The sign of a real number, which SymPy takes A/(B + 1) for only if B is no -1."""

    def fdiff(self, argindex: int = 1) -> Any:
        """A kink has no second derivative, and beside it the first one is constant."""
        return sympy.Integer(0)


class _Size(sympy.Function):
    """The absolute value of a real number, see `_Sign`."""

    def fdiff(self, argindex: int = 1) -> Any:
        """Its sign."""
        return _Sign(self.args[0])


def parsed(text: Any, where: str) -> Expression:
    """The formula of a text in the mathematics of PEtab; a number is one, too.

    Raises
    ------
    ProblemError
        If it cannot be read; `where` says where it is written.
    """
    from petab.v1.math import sympify_petab

    try:
        sympify_petab(text)  # which says what is wrong with it
        tree = _exactly(sympy.sympify(sympify_petab(text, evaluate=False)))
    except (ValueError, TypeError, ArithmeticError) as error:
        why = " ".join(str(error).split()) or "it divides by 0"
        raise ProblemError(f"{where}: the formula {text!r} cannot be read: {why}") from error
    return expression(str(text), sympy.sympify(tree))


def _exactly(tree: Any) -> Any:
    """An unevaluated tree, evaluated in `EXACT` digits: numbers are the float64 that are written.

    In their own precision 1/3 would be a float64, and what is left of A/3 - 0.3333 A wrong.
    """
    if tree.is_Float:
        return sympy.Float(float(tree), EXACT) if abs(float(tree)) < np.inf else tree
    if not tree.args:
        return tree
    found = tree.func(*map(_exactly, tree.args))
    if found.is_extended_real is False and not found.has(sympy.zoo):  # which `checked` refuses
        raise ValueError(f"{found} is not real.")
    return found


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
    """A tree of SymPy, with whole numbers as such, so that powers are products.

    Other numbers have `EXACT` digits: a derivative has 0.3 - 1 in it for an exponent of 0.3.
    """
    tree = tree.xreplace({part: sympy.Float(part, EXACT) for part in tree.atoms(sympy.Float)})
    tree = tree.replace(_is_whole, lambda part: sympy.Integer(int(part)))
    return Expression(text, tuple(sorted(symbol.name for symbol in tree.free_symbols)), tree)


def _is_whole(part: Any) -> bool:
    whole = part.is_Float and abs(part) < LARGEST
    return bool(whole and part == sympy.Float(int(part), EXACT))


def replaced(outer: Expression, name: str, inner: Expression) -> Expression:
    """The formula `outer` with another formula in place of a name."""
    return expression(outer.text, outer.tree.subs(_symbol(name), inner.tree))


def renamed(formula: Expression, names: Mapping[str, str]) -> Expression:
    """A formula with other names of its inputs, all replaced at once."""
    swaps = {_symbol(old): _symbol(new) for old, new in names.items() if old in formula.names}
    return expression(formula.text, formula.tree.xreplace(swaps)) if swaps else formula


def _symbol(name: str) -> Any:
    return sympy.Symbol(name, real=True)


def _constant(tree: Any, kind: Any = np.longdouble) -> Any:
    """The number that a tree is; SymPy writes infinity as oo."""
    found = sympy.N(tree, 45)
    return kind(float(found)) if found.is_infinite else kind(str(found))


def _off(function: Callable[..., Any], inputs: Any) -> Any:
    """`FINER` of the rounding in float64; as much at each point, in relation, as at any."""
    fine = function(inputs)
    plain = np.asarray(inputs, np.float64)
    nudges = np.random.default_rng(0).uniform(-NUDGE, NUDGE, (SAMPLES, *plain.shape))
    with np.errstate(invalid="ignore", over="ignore"):
        difference = _rounding(function, plain)
        for turn, nudge in enumerate(nudges, 1):  # beside the point a formula may have no value
            beside = _rounding(function, plain * (1.0 + nudge), turn)
            difference = np.maximum(difference, np.where(np.isfinite(beside), beside, 0.0))
        size = np.abs(fine)
        relative = np.divide(difference, size, out=np.zeros_like(size), where=size > 0.0)
        worst = np.nan_to_num(relative, nan=0.0).max(axis=0, initial=0.0) * size
        elsewhere = np.minimum(worst, np.nan_to_num(difference).max(axis=0, initial=0.0))
    found = np.where(np.isfinite(difference), np.maximum(difference, elsewhere), np.inf)
    return FINER * np.where(np.isfinite(fine), found, 0.0)  # what is no number, is told elsewhere


def _rounding(function: Callable[..., Any], plain: Any, turn: int = 0) -> Any:
    """What float64 makes of float64 inputs, less what extended precision makes of the same."""
    fine, rough = function(plain.astype(np.longdouble), turn), function(plain, turn)
    return np.where(fine == rough, 0.0, np.abs(fine - rough))


def _lifted(tree: Any, numbers: dict[Any, Any]) -> Any:
    """The tree with symbols for all numbers in it that are not whole, which are noted by symbol.

    In code of NumPy such a number, 1/3 or pi, is rounded to float64.
    """
    if tree.is_Integer or tree.is_Symbol or tree.is_Boolean:
        return tree
    if tree.is_number:
        return numbers.setdefault(tree, sympy.Symbol(f"number_{len(numbers)}_", real=True))
    if not tree.args:
        return tree
    if isinstance(tree, sympy.Piecewise):
        cases = [
            (_lifted(part, numbers), _lifted_condition(condition, numbers))
            for part, condition in tree.args
        ]
        return sympy.Piecewise(*cases, evaluate=False)
    return tree.func(*(_lifted(part, numbers) for part in tree.args))


def _lifted_condition(tree: Any, numbers: dict[Any, Any]) -> Any:
    """The same of a condition: numbers of quad precision are not compared with those of Python."""
    if isinstance(tree, sympy.core.relational.Relational):
        return tree.func(*(_lifted(part, numbers) for part in tree.args), evaluate=False)
    return tree.func(*(_lifted_condition(part, numbers) for part in tree.args))


def _plain(tree: Any) -> Any:
    """A tree, or its derivative, as NumPy can have it."""
    tree = sympy.sympify(tree).replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))
    return tree.replace(_Size, sympy.Abs).replace(_Sign, sympy.sign)


class _Printer(NumPyPrinter):
    """Writes 1/x as that, which every type of numbers has, and not as a power of a float."""

    def __init__(self) -> None:
        super().__init__(
            {"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True}
        )

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:  # noqa: N802
        power = expr.exp
        if power.is_Integer and power < 0:
            return f"(1/{self.parenthesize(expr.base**-power, PRECEDENCE['Atom'])})"
        return str(super()._print_Pow(expr, rational=rational))


def _numeric(symbols: Sequence[Any], trees: Sequence[Any]) -> Callable[..., Any]:
    """Arrays (R, a) to (R, len(trees)), with common parts computed once.

    In extended precision unless the arrays are in float64, or in quad. At a `turn` above 0 the
    numbers that are no float64 are nudged: one of them may happen to be rounded to float64 by next
    to nothing.
    """
    smooth = [_plain(tree) for tree in trees]
    constant = {i: _constant(t) for i, t in enumerate(smooth) if t.is_number}
    varying = [i for i in range(len(smooth)) if i not in constant]
    numbers: dict[Any, Any] = {}
    lifted = [_lifted(smooth[i], numbers) for i in varying]
    function = sympy.lambdify(
        [*symbols, *numbers.values()], lifted, "numpy", cse=True, printer=_Printer()
    )
    values = np.array([_constant(number) for number in numbers], np.longdouble)
    reach = np.where(values == values.astype(np.float64), 0.0, NUDGE)

    def compute(inputs: Any, turn: int = 0) -> Any:
        at = values
        if turn:
            at = values * (1 + reach * np.random.default_rng(turn).uniform(-1, 1, len(values)))
        quad = available(QUAD) and inputs.dtype == QUAD.fp_type
        kind = np.float64 if inputs.dtype == np.float64 else np.longdouble
        own: Any = QUAD.fp_type if quad else np.longdouble
        found = np.zeros((len(inputs), len(smooth)), own)
        for i, number in constant.items():
            found[:, i] = _constant(smooth[i], QUAD.fp_type) if quad else number
        if varying:
            given = inputs if quad else np.asarray(inputs, kind)
            extra: Any = [_constant(n, own) for n in numbers] if quad else at.astype(kind)
            with np.errstate(all="ignore"):
                columns = function(*given.T, *extra)
            for i, column in zip(varying, columns, strict=True):
                found[:, i] = column
        return found

    return compute
