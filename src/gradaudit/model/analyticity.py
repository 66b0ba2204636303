"""Whether a model is analytic in states and parameters, so that a complex step is its derivative.

It is traced with complex numbers. Wherever an operation takes a complex number and gives a real
one (an absolute value, a comparison, a cast), the imaginary part that carries the derivative is
lost, and the result would be a wrong number without a warning.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp

from gradaudit.backend.jaxpr.walk import equations, inner_jaxprs
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state, with_integrals

# Complex in, complex out, and yet not analytic.
_NOT_ANALYTIC = frozenset(
    ["argsort", "clamp", "conj", "cummax", "cummin", "max", "min", "reduce_max", "reduce_min",
     "sign", "sort"]
)  # fmt: skip
# Analytic, though it gives integers as well: the order of the pivots.
_ANALYTIC = frozenset(["lu"])


def obstacle(model: Model) -> str:
    """The first operation that is not analytic, or "" where there is none."""
    t = jnp.zeros(())
    z = jnp.zeros(model.n + len(model.integrands or model.observables), dtype=complex)
    p = jnp.asarray(model.nominal + 0j)
    functions: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (with_integrals(model), (t, z, p)),
        (lambda p: initial_state(model, p), (p,)),
    ]
    for function, arguments in functions:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a cast that drops the imaginary part is found
                jaxpr = jax.make_jaxpr(function)(*arguments)
        except (TypeError, ValueError) as error:  # what complex numbers do not have
            return str(error).splitlines()[0]
        for name in _obstacles(jaxpr.jaxpr):
            return name
    return ""


def _obstacles(jaxpr: Any) -> Iterator[str]:
    for eqn in equations(jaxpr):
        if next(inner_jaxprs(eqn), None) is not None or not any(map(_is_complex, eqn.invars)):
            continue
        name = eqn.primitive.name
        stays = name in _ANALYTIC or all(map(_is_complex, eqn.outvars))
        if name in _NOT_ANALYTIC or not stays:
            yield name


def _is_complex(atom: Any) -> bool:
    return jnp.issubdtype(atom.aval.dtype, jnp.complexfloating)
