"""Evaluating a jaxpr on values of any kind: what an evaluator inherits and what it adds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from jax.extend.core import Literal

from gradaudit.backend.jaxpr.walk import inlined_body, is_log_add_exp

Value = TypeVar("Value")


class Evaluator(ABC, Generic[Value]):
    """Runs the equations of a jaxpr in turn; calls are inlined.

    A subclass says what a constant and a primitive are for its kind of values, and may take scans
    and conditionals apart by `unrolled` and by methods of its own.
    """

    @abstractmethod
    def constant(self, value: Any) -> Value:
        """A literal or constant of the jaxpr as a value."""

    @abstractmethod
    def primitive(self, eqn: Any, values: list[Value]) -> list[Value]:
        """The results of an equation that is neither a call nor a scan nor a conditional."""

    def log_add_exp(self, values: list[Value]) -> list[Value] | None:
        """The result of JAX's logaddexp as a whole; None to run what it is made of."""
        return None

    def scan(self, eqn: Any, values: list[Value]) -> list[Value]:
        """The results of a scan; a primitive like any other unless a subclass unrolls it."""
        return self.primitive(eqn, values)

    def conditional(self, eqn: Any, values: list[Value]) -> list[Value]:
        """The results of a conditional, of which the first value is the index of the branch."""
        return self.primitive(eqn, values)

    def row(self, sequence: Value, step: int) -> Value:
        """What a step of a scan gets of a sequence."""
        return sequence[step, ...]  # type: ignore[index]

    @abstractmethod
    def stack(self, rows: Sequence[Value]) -> Value:
        """The sequence made of what the steps of a scan give."""

    def evaluate(self, closed: Any, inputs: Sequence[Value]) -> list[Value]:
        """The results of a jaxpr, closed or without constants."""
        consts = [self.constant(value) for value in getattr(closed, "consts", ())]
        return self._run(getattr(closed, "jaxpr", closed), consts, inputs)

    def _run(self, jaxpr: Any, consts: list[Value], inputs: Sequence[Value]) -> list[Value]:
        known: dict[Any, Value] = dict(zip(jaxpr.constvars, consts, strict=True))
        known.update(zip(jaxpr.invars, inputs, strict=True))

        def read(atom: Any) -> Value:
            return self.constant(atom.val) if isinstance(atom, Literal) else known[atom]

        for eqn in jaxpr.eqns:
            results = self.equation(eqn, [read(atom) for atom in eqn.invars])
            known.update(zip(eqn.outvars, results, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def equation(self, eqn: Any, values: list[Value]) -> list[Value]:
        """The results of one equation."""
        body = inlined_body(eqn)
        if body is not None:
            whole = self.log_add_exp(values) if is_log_add_exp(body) else None
            return self.evaluate(body, values) if whole is None else whole
        match eqn.primitive.name:
            case "scan":
                return self.scan(eqn, values)
            case "cond":
                return self.conditional(eqn, values)
        return self.primitive(eqn, values)

    def unrolled(self, eqn: Any, values: list[Value]) -> list[Value]:
        """The results of a scan, one step after the other."""
        params, length = eqn.params, eqn.params["length"]
        fixed, carried = params["num_consts"], params["num_carry"]
        constants, carry = values[:fixed], values[fixed : fixed + carried]
        sequences = values[fixed + carried :]
        outputs: dict[int, list[Value]] = {}
        for step in reversed(range(length)) if params["reverse"] else range(length):
            rows = [self.row(sequence, step) for sequence in sequences]
            done = self.evaluate(params["jaxpr"], [*constants, *carry, *rows])
            carry, outputs[step] = done[:carried], done[carried:]
        columns = zip(*(outputs[step] for step in range(length)), strict=True)
        return [*carry, *(self.stack(rows) for rows in columns)]
