"""A vector field with its branches frozen, in JAX.

Between two events a vector field stays on one branch of everything that switches in it. A step that
reaches over the event must not see the other branch, or the event is looked for on a function that
is not smooth and not even continuous. So the field's jaxpr is evaluated with the outcome of every
switch given; the outcomes themselves are read off at a point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import Literal

Decisions = list[Any]

INLINED = {"jit", "pjit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call"}
LOG_ADD_EXP = {"log1p", "exp", "max"}  # logaddexp has a maximum inside, and is smooth


class Switch(NamedTuple):
    """A primitive that switches.

    Attributes
    ----------
    decide
        The decision from the operands, a real number.
    follow
        The result from the decision and the operands.
    margin
        From the operands, what passes through a threshold where the decision changes. Only how
        it changes counts where there are several thresholds.
    """

    decide: Callable[..., Any]
    follow: Callable[..., Any]
    margin: Callable[..., Any]


def _boolean(test: Callable[..., Any]) -> Switch:
    return Switch(test, lambda true, *operands: true > 0, lambda a, b: a - b)


SWITCHES: dict[str, Switch] = {
    "lt": _boolean(lax.lt),
    "le": _boolean(lax.le),
    "gt": _boolean(lax.gt),
    "ge": _boolean(lax.ge),
    "max": Switch(lax.lt, lambda less, a, b: jnp.where(less > 0, b, a), lambda a, b: a - b),
    "min": Switch(lax.lt, lambda less, a, b: jnp.where(less > 0, a, b), lambda a, b: a - b),
    "abs": Switch(lambda x: x < 0, lambda negative, x: jnp.where(negative > 0, -x, x), lambda x: x),
    "sign": Switch(lax.sign, lambda sign, x: sign, lambda x: x),
    "clamp": Switch(
        lambda low, x, high: jnp.where(x < low, -1, jnp.where(x > high, 1, 0)),
        lambda side, low, x, high: jnp.where(side < 0, low, jnp.where(side > 0, high, x)),
        lambda low, x, high: jnp.where(abs(x - low) < abs(x - high), x - low, x - high),
    ),
    "floor": Switch(lax.floor, lambda value, x: value, lambda x: x - jnp.round(x)),
    "ceil": Switch(lax.ceil, lambda value, x: value, lambda x: x - jnp.round(x)),
    "round": Switch(
        lambda x: jnp.floor(x + 0.5), lambda value, x: value, lambda x: x - jnp.floor(x) - 0.5
    ),
    "rem": Switch(
        lambda x, y: jnp.trunc(x / y),
        lambda multiple, x, y: x - multiple * y,
        lambda x, y: x / y - jnp.round(x / y),
    ),
}
"""What switches, by the name of its primitive."""


@dataclass
class _Reading:
    """One evaluation: with `given` decisions, or taking them down."""

    given: Decisions | None
    taken: Decisions = field(default_factory=list)
    margins: Decisions = field(default_factory=list)

    def evaluate(self, jaxpr: Any, consts: list[Any], inputs: list[Any]) -> list[Any]:
        known: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
        known.update(zip(jaxpr.invars, inputs, strict=True))

        def read(atom: Any) -> Any:
            return atom.val if isinstance(atom, Literal) else known[atom]

        for eqn in jaxpr.eqns:
            results = self.equation(eqn, [read(atom) for atom in eqn.invars])
            known.update(zip(eqn.outvars, results, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def equation(self, eqn: Any, values: list[Any]) -> list[Any]:
        name = eqn.primitive.name
        real = eqn.invars and jnp.issubdtype(eqn.invars[0].aval.dtype, jnp.floating)
        if name in SWITCHES and real:
            switch = SWITCHES[name]
            self.margins.append(switch.margin(*values))
            if self.given is None:
                taken = jnp.asarray(switch.decide(*values), dtype=jnp.result_type(float))
            else:
                taken = self.given[len(self.taken)]
            self.taken.append(taken)
            return [switch.follow(taken, *values)]
        body = _body(eqn)
        if body is not None:
            if {inner.primitive.name for inner in body.eqns} >= LOG_ADD_EXP:
                return [jnp.logaddexp(*values)]
            inner = getattr(body, "jaxpr", body)
            return self.evaluate(inner, list(getattr(body, "consts", [])), values)
        result = eqn.primitive.bind(*values, **eqn.params)
        return list(result) if eqn.primitive.multiple_results else [result]


def _switching(jaxpr: Any) -> Iterator[bool]:
    """For every switch of the jaxpr, True."""
    for eqn in jaxpr.eqns:
        real = eqn.invars and jnp.issubdtype(eqn.invars[0].aval.dtype, jnp.floating)
        body = _body(eqn)
        if eqn.primitive.name in SWITCHES and real:
            yield True
        elif body is not None and not {e.primitive.name for e in body.eqns} >= LOG_ADD_EXP:
            yield from _switching(getattr(body, "jaxpr", body))


def _body(eqn: Any) -> Any:
    if eqn.primitive.name not in INLINED:
        return None
    return next(
        (eqn.params[k] for k in ("jaxpr", "call_jaxpr", "fun_jaxpr") if k in eqn.params), None
    )


class FrozenField:
    """f(t, z, p) of `size` states and integrals and `m` parameters, with its branches in hand."""

    def __init__(self, function: Callable[..., Any], size: int, m: int) -> None:
        vector = [jax.ShapeDtypeStruct((count,), jnp.result_type(float)) for count in (size, m)]
        scalar = jax.ShapeDtypeStruct((), jnp.result_type(float))
        self._closed = jax.make_jaxpr(function)(scalar, *vector)

    @property
    def switches(self) -> bool:
        """Whether anything switches."""
        return any(_switching(self._closed.jaxpr))

    def decisions(self, t, z, p) -> Decisions:
        """The outcome of every switch at a point."""
        reading = _Reading(None)
        self._evaluate(reading, t, z, p)
        return reading.taken

    def margins(self, t, z, p, decisions: Decisions) -> Any:
        """What passes through 0 where a switch turns, of all switches in one vector (Q,)."""
        reading = _Reading(decisions)
        self._evaluate(reading, t, z, p)
        return flat(reading.margins)

    def __call__(self, t, z, p, decisions: Decisions):
        """The rates (N,) with given outcomes."""
        return self._evaluate(_Reading(decisions), t, z, p)

    def _evaluate(self, reading: _Reading, t, z, p):
        t = jnp.asarray(t, dtype=z.dtype)
        return reading.evaluate(self._closed.jaxpr, self._closed.consts, [t, z, p])[0]

    def decisions_ahead(self, t, z, p, step) -> Decisions:
        """The outcomes with which the solution goes on; a step back where `step` is negative."""
        decisions = self.decisions(t, z, p)
        for _ in range(2):
            ahead = z + step * self(t, z, p, decisions)
            decisions = self.decisions(t + step, ahead, p)
        return decisions


def flat(values: Decisions) -> Any:
    """Values of all switches in one vector (Q,)."""
    return jnp.concatenate([jnp.ravel(jnp.asarray(value, float)) for value in values])


def differ(a: Decisions, b: Decisions):
    """Whether any outcome is another one, a traced boolean."""
    pairs = [jnp.any(x != y) for x, y in zip(a, b, strict=True)]
    return jnp.any(jnp.stack(pairs)) if pairs else jnp.zeros((), dtype=bool)
