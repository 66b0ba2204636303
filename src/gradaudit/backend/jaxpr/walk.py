"""Walking a jaxpr: which equations are calls, what lies inside of others, all of them in turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

INLINED = frozenset(
    [
        "jit", "pjit", "closed_call", "core_call", "remat", "remat2", "checkpoint",
        "custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr",
    ]
)  # fmt: skip
"""Primitives that do what the jaxpr inside of them does, and nothing else."""

LONGEST_SCAN = 10_000
"""A scan of more steps is not unrolled."""

_BODIES = ("jaxpr", "call_jaxpr", "fun_jaxpr")
# How JAX writes logaddexp, and so softplus: a smooth function through a maximum.
_LOG_ADD_EXP = ["max", "sub", "ne", "add", "abs", "neg", "exp", "log1p", "add", "select_n"]


def inlined_body(eqn: Any) -> Any | None:
    """The jaxpr, closed or not, that an equation calls; None where it is no call."""
    if eqn.primitive.name not in INLINED:
        return None
    return next(eqn.params[key] for key in _BODIES if key in eqn.params)


def is_log_add_exp(body: Any) -> bool:
    """Whether a jaxpr is JAX's logaddexp, smooth though it has a maximum inside."""
    return [eqn.primitive.name for eqn in body.eqns] == _LOG_ADD_EXP


def inner_jaxprs(eqn: Any) -> Iterator[Any]:
    """The jaxprs, not closed, among the parameters of an equation."""
    for value in eqn.params.values():
        for entry in value if isinstance(value, (tuple, list)) else (value,):
            inner = getattr(entry, "jaxpr", entry)
            if hasattr(inner, "eqns"):
                yield inner


def equations(jaxpr: Any) -> Iterator[Any]:
    """Every equation of a jaxpr, those of inner jaxprs after the one that holds them.

    What lies inside of logaddexp is left out: it is smooth as a whole.
    """
    for eqn in jaxpr.eqns:
        yield eqn
        body = inlined_body(eqn)
        if body is not None and is_log_add_exp(body):
            continue
        for inner in inner_jaxprs(eqn):
            yield from equations(inner)
