"""A vector field with its branches frozen, in JAX.

Between two events a vector field stays on one branch of everything that switches in it. A step that
reaches over the event must not see the other branch, or the event is looked for on a function that
is not smooth and not even continuous. So the field's jaxpr is evaluated with the outcome of every
switch given; the outcomes themselves are read off at a point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import Literal

import gradaudit.backend.jax_setup  # noqa: F401  # float64 before the field is traced
from gradaudit.backend.jaxpr.array_switches import ARRAY_SWITCHES, is_array_switch
from gradaudit.backend.jaxpr.evaluator import Evaluator
from gradaudit.backend.jaxpr.hidden_switches import (
    ANGLE,
    ENDS,
    POLES,
    asks_for_numbers,
    beyond_pole,
    has_pole,
    has_root_of_square,
    is_angle_of_pole,
    is_reciprocal,
    is_root_of,
    may_end_at_pole,
    may_have_root_of_square,
    number_or_not,
)
from gradaudit.backend.jaxpr.switch_table import SWITCHES, Switch
from gradaudit.backend.jaxpr.tags import Tags
from gradaudit.backend.jaxpr.walk import equations, inlined_body, inner_jaxprs
from gradaudit.backend.shapes import Flag, Margins, Parameters, ScalarLike, States
from gradaudit.errors import TranslationError

Decisions = list[Any]

LONGEST_SWITCHING_SCAN = 1000
"""A scan of more steps that switches inside is refused: every step has decisions of its own."""


class _Traced:
    """The algebra of `switch_table.SWITCHES` on traced arrays; decisions are real numbers."""

    def add(self, a: Any, b: Any) -> Any:
        return a + b

    def subtract(self, a: Any, b: Any) -> Any:
        return a - b

    def multiply(self, a: Any, b: Any) -> Any:
        return a * b

    def floor(self, x: Any) -> Any:
        return jnp.floor(x)

    def truncate(self, x: Any) -> Any:
        return jnp.trunc(x)

    def truth(self, decision: Any) -> Any:
        return decision > 0

    def number(self, decision: Any) -> Any:
        return decision

    def pick(self, decision: Any, cases: Mapping[int, Any]) -> Any:
        (_, value), *others = cases.items()
        for number, other in others:
            value = jnp.where(decision == number, other, value)
        return value


TRACED = _Traced()
WATCHED = {**SWITCHES, "atan2": ANGLE}


def _is_switch(eqn: Any) -> bool:
    """Whether an equation switches in a real number, at a boundary with values on both sides."""
    if is_array_switch(eqn) or asks_for_numbers(eqn):
        return True
    name = eqn.primitive.name
    if name not in WATCHED or name in ("eq", "ne"):
        return False
    return jnp.issubdtype(eqn.invars[0].aval.dtype, jnp.floating)


def _surely_switches(jaxpr: Any) -> bool:
    return any(map(_is_switch, equations(jaxpr))) or has_root_of_square(jaxpr)


def _has_switches(jaxpr: Any) -> bool:
    """Whether something may switch: whether it does at a pole is seen when it is evaluated."""
    return _surely_switches(jaxpr) or may_end_at_pole(jaxpr)


class _Reading(Evaluator[Any]):
    """One evaluation: with `given` decisions, or recording them."""

    def __init__(self, given: Decisions | None, still: Sequence[Any] = ()) -> None:
        self.given, self.tags = given, Tags(still)
        self.taken: Decisions = []
        self.margins: Decisions = []
        self.poles: dict[Any, tuple[Switch, list[Any]]] = {}

    def constant(self, value: Any) -> Any:
        return value

    def log_add_exp(self, values: list[Any]) -> list[Any]:
        return [jnp.logaddexp(*values)]

    def stack(self, rows: Sequence[Any]) -> Any:
        return jnp.stack(rows)

    def scan(self, eqn: Any, values: list[Any]) -> list[Any]:
        if not _has_switches(eqn.params["jaxpr"].jaxpr):
            return self.primitive(eqn, values)
        if eqn.params["length"] > LONGEST_SWITCHING_SCAN:
            raise TranslationError(
                f"a 'scan' of {eqn.params['length']} steps switches branches inside, in a vector "
                f"field; the limit is {LONGEST_SWITCHING_SCAN} steps, since each has branches of "
                "its own. Write what it does with arrays, or by fewer steps."
            )
        return self.unrolled(eqn, values)

    def conditional(self, eqn: Any, values: list[Any]) -> list[Any]:
        """If one branch switches all are evaluated, so that there are always as many decisions."""
        if not any(map(_has_switches, inner_jaxprs(eqn))):
            return self.primitive(eqn, values)
        index, *operands = values
        cases = [self.evaluate(branch, operands) for branch in eqn.params["branches"]]
        index = jnp.clip(index, 0, len(cases) - 1)
        return [lax.select_n(index, *results) for results in zip(*cases, strict=True)]

    def equation(self, eqn: Any, values: list[Any]) -> list[Any]:
        if inlined_body(eqn) is not None:
            self.tags.enter(eqn)
        results = super().equation(eqn, values)
        self.tags.leave(eqn, values, results)
        if has_pole(eqn) and eqn.invars[-1] not in self.tags.still:
            self.poles[eqn.outvars[0]] = POLES[eqn.primitive.name], values
        return results

    def primitive(self, eqn: Any, values: list[Any]) -> list[Any]:
        if is_array_switch(eqn):
            return self._array_switch(eqn, values)
        if is_root_of(eqn, self.tags.squares):
            root = self._switch(SWITCHES["abs"], [self.tags.squares[eqn.invars[0]][0]])
            return [1.0 / root if is_reciprocal(eqn) else root]
        if is_angle_of_pole(eqn, self.poles):
            return [self._switch(*self.poles[eqn.invars[0]])]
        operand = next((atom for atom in eqn.invars if not isinstance(atom, Literal)), None)
        if eqn.primitive.name in ENDS and operand in self.tags.poles:
            return [self._switch(beyond_pole(eqn, self.tags.poles[operand]), values)]
        if asks_for_numbers(eqn):
            return [self._switch(number_or_not(eqn, self.tags.domains.get(operand, ())), values)]
        if _is_switch(eqn):
            return [self._switch(WATCHED[eqn.primitive.name], values)]
        if eqn.primitive.name == "while" and any(map(_has_switches, inner_jaxprs(eqn))):
            raise TranslationError(
                "a 'while_loop' of a vector field compares real numbers, so that it may switch "
                "branches, and what it does cannot be followed. Write it as a loop of fixed length "
                "(lax.fori_loop, lax.scan). checked_jacfwd(..., branches=False) does not watch for "
                "switches."
            )
        result = eqn.primitive.bind(*values, **eqn.params)
        return list(result) if eqn.primitive.multiple_results else [result]

    def _switch(self, switch: Switch, values: list[Any]) -> Any:
        if self.given is None:
            decision = jnp.asarray(switch.decide(TRACED, *values), dtype=jnp.result_type(float))
        else:
            decision = self.given[len(self.taken)]
        self.taken.append(decision)
        self.margins.append(_nearest(switch.boundaries(TRACED, decision, *values)))
        return switch.follow(TRACED, decision, *values)

    def _array_switch(self, eqn: Any, values: list[Any]) -> list[Any]:
        switch = ARRAY_SWITCHES[eqn.primitive.name]
        if self.given is None:
            decision = jnp.asarray(switch.decide(eqn, *values), dtype=jnp.result_type(float))
        else:
            decision = self.given[len(self.taken)]
        self.taken.append(decision)
        self.margins.append(switch.margins(eqn, decision, *values))
        return switch.follow(eqn, decision, *values)


def _nearest(boundaries: list[Any]) -> Any:
    """Of what passes through 0 where a decision changes, entry by entry the smallest in size."""
    nearest, *others = boundaries
    for other in others:
        nearest = jnp.where(jnp.abs(other) < jnp.abs(nearest), other, nearest)
    return nearest


class FrozenField:
    """f(t, z, p) with each branch chosen explicitly: `size` states and integrals, m parameters."""

    def __init__(self, function: Callable[..., Any], size: int, m: int) -> None:
        vector = [jax.ShapeDtypeStruct((count,), jnp.result_type(float)) for count in (size, m)]
        scalar = jax.ShapeDtypeStruct((), jnp.result_type(float))
        self._closed = jax.make_jaxpr(function)(scalar, *vector)

    @property
    def switches(self) -> bool:
        """Whether anything switches."""
        jaxpr = self._closed.jaxpr
        if _surely_switches(jaxpr):
            return True
        if not (may_end_at_pole(jaxpr) or may_have_root_of_square(jaxpr)):
            return False
        try:
            shapes = [v.aval for v in jaxpr.invars]
            return bool(jax.eval_shape(lambda t, z, p: self.decisions(t, z, p), *shapes))
        except TranslationError:  # is told where it is evaluated
            return True

    def decisions(self, t: ScalarLike, z: States, p: Parameters) -> Decisions:
        """The outcome of every switch at a point."""
        reading = self._reading(None)
        self._evaluate(reading, t, z, p)
        return reading.taken

    def margins(self, t: ScalarLike, z: States, p: Parameters, decisions: Decisions) -> Margins:
        """What passes through 0 where a switch turns, of all switches in one vector (Q,)."""
        reading = self._reading(decisions)
        self._evaluate(reading, t, z, p)
        return flat(reading.margins)

    def reading(self, t: ScalarLike, z: States, p: Parameters) -> tuple[States, Margins, Margins]:
        """Rates, and outcomes and margins of all switches in vectors (Q,), at a point."""
        reading = self._reading(None)
        rates = self._evaluate(reading, t, z, p)
        return rates, flat(reading.taken), flat(reading.margins)

    def __call__(self, t: ScalarLike, z: States, p: Parameters, decisions: Decisions) -> States:
        """The rates (N,) with given outcomes."""
        return self._evaluate(self._reading(decisions), t, z, p)

    def _reading(self, given: Decisions | None) -> _Reading:
        jaxpr = self._closed.jaxpr
        return _Reading(given, (jaxpr.invars[2], *jaxpr.constvars))

    def _evaluate(self, reading: _Reading, t: ScalarLike, z: States, p: Parameters) -> States:
        time = jnp.asarray(t, dtype=z.dtype)
        return reading.evaluate(self._closed, [time, z, p])[0]

    def decisions_ahead(
        self, t: ScalarLike, z: States, p: Parameters, step: ScalarLike
    ) -> Decisions:
        """The outcomes with which the solution goes on; a step back where `step` is negative."""
        decisions = self.decisions(t, z, p)
        for _ in range(2):
            ahead = z + step * self(t, z, p, decisions)
            decisions = self.decisions(t + step, ahead, p)
        return decisions


def flat(values: Decisions) -> Margins:
    """Values of all switches in one vector (Q,)."""
    return jnp.concatenate([jnp.ravel(jnp.asarray(value, float)) for value in values])


def differ(a: Decisions, b: Decisions) -> Flag:
    """Whether any outcome is another one, a traced boolean."""
    pairs = [jnp.any(x != y) for x, y in zip(a, b, strict=True)]
    return jnp.any(jnp.stack(pairs)) if pairs else jnp.zeros((), dtype=bool)
