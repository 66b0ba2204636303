"""The interpreter of jaxprs on arrays of formulas for CAPD.

It reads the same jaxpr as heyoka's interpreter and shares with it what only moves values about.
What it makes of arithmetic is its own, so that a mistake of one of them shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.jaxpr.evaluator import Evaluator
from gradaudit.backend.jaxpr.structural_ops import BY_POSITION, COMMON, by_position
from gradaudit.backend.jaxpr.walk import LONGEST_SCAN
from gradaudit.certification.heyoka import array_ops
from gradaudit.certification.proof import terms
from gradaudit.errors import TranslationError

Values = NDArray[Any]


@dataclass(frozen=True)
class TermInterpreter(Evaluator[Values]):
    """Evaluates a jaxpr on arrays of formulas (dtype object), or of integers and booleans.

    Attributes
    ----------
    where
        Named in errors.
    """

    where: str

    def constant(self, value: Any) -> Values:
        array = np.asarray(value)
        self.check_type(array.dtype)
        return self.numbers(array) if array.dtype == np.float64 else array

    def numbers(self, array: Values) -> Values:
        """An array of numbers as formulas."""
        lifted = np.empty(array.shape, dtype=object)
        for index, entry in np.ndenumerate(array):
            lifted[index] = terms.number(float(entry))
        return lifted

    def lifted(self, array: Values) -> Values:
        """The array if it has formulas, else its numbers as formulas."""
        return array if array.dtype == object else self.numbers(array)

    def check_type(self, dtype: Any) -> None:
        """Raise for what is neither float64 nor an integer nor a boolean."""
        if np.issubdtype(dtype, np.integer) or dtype in (np.dtype(bool), np.dtype(np.float64)):
            return
        raise TranslationError(f"{self.where}: the type {dtype} has no counterpart in intervals.")

    def equation(self, eqn: Any, values: list[Values]) -> list[Values]:
        for variable in eqn.outvars:
            if hasattr(variable.aval, "dtype"):
                self.check_type(variable.aval.dtype)
        return super().equation(eqn, values)

    def primitive(self, eqn: Any, values: list[Values]) -> list[Values]:
        name, params = eqn.primitive.name, eqn.params
        symbolic = any(value.dtype == object for value in values)
        exact = all(v.aval.dtype != np.float64 for v in eqn.outvars if hasattr(v.aval, "dtype"))
        if not symbolic and exact and name != "while" and "callback" not in name:
            folded = eqn.primitive.bind(*values, **params)
            return [np.asarray(v) for v in (folded if eqn.primitive.multiple_results else [folded])]
        if name in COMMON:
            moved = COMMON[name](*values, **params)
            return moved if eqn.primitive.multiple_results else [moved]
        if name in BY_POSITION:
            return [by_position(eqn, values, self.where)]
        return [self.compute(name, eqn, values)]

    def compute(self, name: str, eqn: Any, values: list[Values]) -> Values:
        """A primitive with one result that does arithmetic.

        Raises
        ------
        TranslationError
            If it has no counterpart.
        """
        params, zero = eqn.params, terms.number(0.0)
        if name in terms.RULES:
            return array_ops.apply(terms.RULES[name], [self.lifted(v) for v in values])
        if name == "integer_pow":
            return array_ops.apply(lambda x: terms.power(x, params["y"]), values)
        if name == "convert_element_type" and np.dtype(params["new_dtype"]) == np.float64:
            return self.lifted(values[0])
        if name == "iota":
            shape, axis = params["shape"], params["dimension"]
            return self.numbers(np.indices(shape)[axis])
        if name in ("reduce_sum", "reduce_prod"):
            op, start = (terms.add, zero) if name == "reduce_sum" else (terms.multiply, terms.ONE)
            return array_ops.fold(values[0], params["axes"], op, start)
        if name in ("cumsum", "cumprod"):
            op = terms.add if name == "cumsum" else terms.multiply
            return array_ops.cumulate(values[0], params["axis"], params["reverse"], op)
        if name == "dot_general":
            a, b = (self.lifted(value) for value in values)
            return array_ops.contract(
                a, b, params["dimension_numbers"],
                add=terms.add, multiply=terms.multiply, zero=zero,
            )  # fmt: skip
        if name == "scatter-add":
            return self.scatter_add(eqn, values)
        if name == "select_n" and values[0].dtype != object:
            return self.select(values[0], [self.lifted(case) for case in values[1:]])
        raise TranslationError(f"{self.where}: the primitive {name!r} has no enclosure in CAPD.")

    def select(self, which: Values, cases: list[Values]) -> Values:
        result = np.empty(cases[0].shape, dtype=object)
        for index, case in np.ndenumerate(np.broadcast_to(which, result.shape)):
            result[index] = cases[int(case)][index]
        return result

    def scatter_add(self, eqn: Any, values: list[Values]) -> Values:
        """Where does every update go? JAX says, by adding 1 to zeros."""
        operand, indices, updates = values
        if indices.dtype == object:
            raise TranslationError(
                f"{self.where}: 'scatter-add' at an index that is not a constant."
            )
        operand, updates = self.lifted(operand), self.lifted(updates)
        result = operand.copy()
        for place, update in np.ndenumerate(updates):
            probe = np.zeros(updates.shape)
            probe[place] = 1.0
            hit = eqn.primitive.bind(np.zeros(operand.shape), indices, probe, **eqn.params)
            for target in np.argwhere(np.asarray(hit) != 0.0):
                result[tuple(target)] = terms.add(result[tuple(target)], update)
        return result

    def log_add_exp(self, values: list[Values]) -> list[Values]:
        return [array_ops.apply(terms.log_add_exp, [self.lifted(v) for v in values])]

    def stack(self, rows: Sequence[Values]) -> Values:
        return np.stack(rows)

    def conditional(self, eqn: Any, values: list[Values]) -> list[Values]:
        chosen, *operands = values
        if chosen.dtype == object:
            raise TranslationError(f"{self.where}: the primitive 'cond' has no enclosure in CAPD.")
        branches = eqn.params["branches"]
        return self.evaluate(branches[int(np.clip(chosen, 0, len(branches) - 1))], operands)

    def scan(self, eqn: Any, values: list[Values]) -> list[Values]:
        """Unrolled, for its length is static."""
        if eqn.params["length"] > LONGEST_SCAN:
            raise TranslationError(f"{self.where}: a 'scan' of more than {LONGEST_SCAN} steps.")
        return self.unrolled(eqn, values)
