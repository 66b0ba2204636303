"""The interpreter of jaxprs on arrays of heyoka expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.jaxpr import structural_ops
from gradaudit.backend.jaxpr.evaluator import Evaluator
from gradaudit.backend.jaxpr.walk import LONGEST_SCAN
from gradaudit.certification.heyoka import array_ops, elementwise, linear_solve
from gradaudit.certification.heyoka.branch_choices import HANDLED, Switches
from gradaudit.certification.heyoka.precision import Precision
from gradaudit.certification.heyoka.removable_singularities import Quotients
from gradaudit.errors import TranslationError

Values = NDArray[Any]

CALLBACKS = {"pure_callback", "io_callback", "debug_callback", "debug_print"}
BOOLEAN = {*elementwise.COMPARISONS, "is_finite"}


@dataclass(frozen=True)
class Interpreter(Evaluator[Values]):
    """Evaluates a jaxpr on arrays of expressions; one for every function translated.

    Attributes
    ----------
    precision
        Constants become numbers of it.
    where
        Named in errors.
    """

    precision: Precision
    where: str
    switches: Switches | None = None
    """Decides what switches; without it a switch raises."""
    exponentials: dict[int, tuple[hy.expression, hy.expression]] = field(default_factory=dict)
    """exp(x) by identity, with x: exp(x) - 1 becomes expm1(x), which does not cancel."""
    quotients: Quotients = field(default_factory=Quotients)

    def constant(self, value: Any) -> Values:
        """Floats become exact numbers of the target precision, integers and booleans stay."""
        array = np.asarray(value)
        self.check_type(array.dtype, "a constant")
        return self.numbers(array) if array.dtype == np.float64 else array

    def numbers(self, array: Values) -> Values:
        lifted = np.empty(array.shape, dtype=object)
        for index, entry in np.ndenumerate(array):
            kind = float if array.dtype == np.float64 else int
            lifted[index] = self.precision.number(kind(entry))
        return lifted

    def check_type(self, dtype: Any, what: str) -> None:
        if np.issubdtype(dtype, np.integer) or dtype in (np.dtype(bool), np.dtype(np.float64)):
            return
        if np.issubdtype(dtype, np.complexfloating):
            raise TranslationError(
                f"{self.where}: {what} is complex ({dtype}); the Taylor method has real numbers. "
                "Write the real and the imaginary part apart, as with jnp.cos and jnp.sin for exp."
            )
        raise TranslationError(
            f"{self.where}: {what} has the type {dtype}; a reference needs float64 throughout. "
            "Remove the cast, or write the constant as a plain number."
        )

    def equation(self, eqn: Any, values: list[Values]) -> list[Values]:
        name = eqn.primitive.name
        if name == "custom_linear_solve":
            return [linear_solve.solved(eqn, values, self.evaluate, self.numbers, self.where)]
        factored = any(isinstance(value, linear_solve.Factor) for value in values)
        symbolic = any(value.dtype == object for value in values)
        if name in linear_solve.FACTORISING and (factored or symbolic):
            return [linear_solve.Factor() for _ in eqn.outvars]  # type: ignore[misc]
        if factored:
            raise self.unknown("stop_gradient")
        for variable in eqn.outvars:
            if hasattr(variable.aval, "dtype"):
                self.check_type(variable.aval.dtype, f"the result of the primitive {name!r}")
        return super().equation(eqn, values)

    def primitive(self, eqn: Any, values: list[Values]) -> list[Values]:
        name = eqn.primitive.name
        symbolic = any(v.dtype == object for v in values)
        exact = all(v.aval.dtype != np.float64 for v in eqn.outvars if hasattr(v.aval, "dtype"))
        if not symbolic and exact and name not in CALLBACKS and name != "while":
            folded = eqn.primitive.bind(*values, **eqn.params)
            return [np.asarray(v) for v in (folded if eqn.primitive.multiple_results else [folded])]
        if name in structural_ops.COMMON:
            moved = structural_ops.COMMON[name](*values, **eqn.params)
            return moved if eqn.primitive.multiple_results else [moved]
        if name in structural_ops.BY_POSITION:
            return [structural_ops.by_position(eqn, values, self.where)]
        return [self.compute(name, eqn, values)]

    def compute(self, name: str, eqn: Any, values: list[Values]) -> Values:
        """A primitive with one result that does arithmetic."""
        params, zero = eqn.params, self.precision.number(0)
        if name in ("add", "sub"):
            return self.elementwise(self.add if name == "add" else self.subtract, values)
        if name in ("exp", "expm1", "mul", "div", "neg"):
            return self.elementwise(getattr(self, f"scalar_{name}"), values)
        if name == "integer_pow":
            return self.elementwise(lambda x: elementwise.power(x, params["y"]), values)
        if name in elementwise.RULES:
            return self.elementwise(elementwise.RULES[name], values)
        if name == "convert_element_type":
            return self.convert(values[0], np.dtype(params["new_dtype"]))
        if name == "iota":
            axis, shape = params["dimension"], params["shape"]
            steps = np.arange(shape[axis]).reshape(
                [-1 if i == axis else 1 for i in range(len(shape))]
            )
            return self.numbers(np.broadcast_to(steps, shape))
        if name == "reduce_sum":
            return array_ops.fold(values[0], params["axes"], self.add, zero)
        if name == "reduce_prod":
            multiply = elementwise.RULES["mul"]
            return array_ops.fold(values[0], params["axes"], multiply, self.precision.number(1))
        if name in ("cumsum", "cumprod"):
            op = self.add if name == "cumsum" else elementwise.RULES["mul"]
            return array_ops.cumulate(values[0], params["axis"], params["reverse"], op)
        if name == "dot_general":
            return array_ops.contract(
                values[0], values[1], params["dimension_numbers"],
                add=self.add, multiply=elementwise.sparse_multiply, zero=zero,
            )  # fmt: skip
        if name in ("scatter-add", "scatter-mul"):
            return self.scatter_onto(eqn, values)
        if name == "select_n" and values[0].dtype != object:
            return self.select(values[0], values[1:])
        if name in HANDLED and self.switches is not None:
            return self.switch(name, values)
        if name in ("reduce_max", "reduce_min") and self.switches is not None:
            return self.reduce_by_switches(name, values[0], params["axes"])
        if name in elementwise.BRANCHES or name == "select_n":
            return self.constant_branch(name, values)
        raise self.unknown(name)

    def convert(self, x: Values, new: Any) -> Values:
        if new == np.float64:
            return x if x.dtype == object else self.numbers(x)
        if all(elementwise.is_number(entry) for entry in x.reshape(-1)):
            return np.array([int(entry) for entry in x.reshape(-1)]).reshape(x.shape).astype(new)
        raise elementwise.refuse_branch(f"convert_element_type to {new}", self.where)

    def elementwise(self, op: Callable[..., Any], values: list[Values]) -> Values:
        return array_ops.apply(op, [v if v.dtype == object else self.numbers(v) for v in values])

    def scalar_exp(self, x: Any) -> Any:
        value = elementwise.RULES["exp"](x)
        if not elementwise.is_number(value):
            self.exponentials[id(value)] = (value, x)
        return value

    def scalar_expm1(self, x: Any) -> Any:
        return self.quotients.difference(elementwise.RULES["expm1"](x), 1, x)

    def scalar_mul(self, a: Any, b: Any) -> Any:
        result = elementwise.RULES["mul"](a, b)
        for factor, other in ((a, b), (b, a)):
            if elementwise.is_number(factor):
                return self.quotients.multiple(result, factor, other)
        return result

    def scalar_div(self, a: Any, b: Any) -> Any:
        smooth = self.quotients.quotient(a, b)
        if smooth is not None:
            return smooth
        result = elementwise.RULES["div"](a, b)
        if elementwise.is_number(b):
            return self.quotients.multiple(result, elementwise.divide(None, b), a)
        return result

    def scalar_neg(self, a: Any) -> Any:
        return self.quotients.multiple(-a, -1.0, a)

    def add(self, a: Any, b: Any) -> Any:
        for constant, other in ((a, b), (b, a)):
            if id(other) in self.exponentials and elementwise.equals(constant, -1):
                return self.scalar_expm1(self.exponentials[id(other)][1])
        return elementwise.RULES["add"](a, b)

    def subtract(self, a: Any, b: Any) -> Any:
        if id(a) in self.exponentials and elementwise.equals(b, 1):
            return self.scalar_expm1(self.exponentials[id(a)][1])
        if id(b) in self.exponentials and elementwise.equals(a, 1):
            x = self.exponentials[id(b)][1]
            return self.quotients.difference(-hy.expm1(x), -1, x)
        return elementwise.RULES["sub"](a, b)

    def select(self, which: Values, cases: list[Values]) -> Values:
        result = np.empty(cases[0].shape, dtype=object)
        for index, case in np.ndenumerate(np.broadcast_to(which, result.shape)):
            result[index] = cases[int(case)][index]
        return result

    def switch(self, name: str, values: list[Values]) -> Values:
        assert self.switches is not None
        result = self.elementwise(partial(self.switches, name), values)
        return result.astype(bool) if name in BOOLEAN else result

    def reduce_by_switches(self, name: str, x: Values, axes: tuple[int, ...]) -> Values:
        """The largest or smallest entry by comparing one pair after the other."""
        assert self.switches is not None
        compare = partial(self.switches, name.removeprefix("reduce_"))
        rest = np.moveaxis(x, axes, range(len(axes)))
        entries = rest.reshape(-1, *rest.shape[len(axes) :])
        largest = entries[0, ...]
        for entry in entries[1:]:
            largest = array_ops.apply(compare, [largest, entry])
        return largest

    def constant_branch(self, name: str, values: list[Values]) -> Values:
        operands = [v if v.dtype == object else self.numbers(v) for v in values]
        constant = all(elementwise.is_number(x) for v in operands for x in v.reshape(-1))
        if not constant:
            raise elementwise.refuse_branch(name, self.where)
        if name in elementwise.COMPARISONS:
            return self.elementwise(elementwise.COMPARISONS[name], operands).astype(bool)
        if name in elementwise.CONSTANT_BRANCHES:
            return self.elementwise(elementwise.CONSTANT_BRANCHES[name], operands)
        raise self.unknown(name)

    def scatter_onto(self, eqn: Any, values: list[Values]) -> Values:
        """Where does every update go? JAX says, by adding 1 to zeros or multiplying ones by 2."""
        operand, indices, updates = values
        name = eqn.primitive.name
        if indices.dtype == object:
            raise TranslationError(f"{self.where}: {name!r} at an index that is not a constant.")
        adds = name == "scatter-add"
        onto, idle = self.add if adds else self.scalar_mul, 0.0 if adds else 1.0
        operand, updates = (x if x.dtype == object else self.numbers(x) for x in (operand, updates))
        result = operand.copy()
        for place, update in np.ndenumerate(updates):
            probe = np.full(updates.shape, idle)
            probe[place] += 1.0
            hit = eqn.primitive.bind(np.full(operand.shape, idle), indices, probe, **eqn.params)
            for target in np.argwhere(np.asarray(hit) != idle):
                result[tuple(target)] = onto(result[tuple(target)], update)
        return result

    def log_add_exp(self, values: list[Values]) -> list[Values]:
        return [self.elementwise(elementwise.log_add_exp, values)]

    def stack(self, rows: Sequence[Values]) -> Values:
        return np.stack(rows)

    def conditional(self, eqn: Any, values: list[Values]) -> list[Values]:
        chosen, *operands = values
        if chosen.dtype == object:
            raise elementwise.refuse_branch("cond", self.where)
        branches = eqn.params["branches"]
        return self.evaluate(branches[int(np.clip(chosen, 0, len(branches) - 1))], operands)

    def scan(self, eqn: Any, values: list[Values]) -> list[Values]:
        """Unrolled, for its length is static."""
        length = eqn.params["length"]
        if length > LONGEST_SCAN:
            raise TranslationError(
                f"{self.where}: a 'scan' of {length} steps is too long to unroll; "
                f"the limit is {LONGEST_SCAN}."
            )
        return self.unrolled(eqn, values)

    def unknown(self, name: str) -> TranslationError:
        advice = {
            "while": "a loop whose length depends on values; use a loop of fixed length",
            "stop_gradient": "it makes the derivative differ from the function's; remove it",
            **dict.fromkeys(CALLBACKS, "its code is out of sight; write it in jax.numpy"),
        }.get(name, "write the vector field with arithmetic and elementary functions")
        return TranslationError(
            f"{self.where}: the primitive {name!r} has no counterpart in the Taylor method: "
            f"{advice}."
        )
