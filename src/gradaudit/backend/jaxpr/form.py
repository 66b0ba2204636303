"""The form of a jaxpr: what it is but for its numbers, which functions of equal form share.

Models under several conditions differ in a dose or a rate constant that is a number. What is
compiled for their form, with the numbers as arguments, is compiled once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any
from weakref import WeakValueDictionary

import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal
from numpy.typing import NDArray

from gradaudit.backend.jaxpr.vectorised import ALIKE_EACH, MANY, SEVERAL, Vectorised

Array = NDArray[np.float64]


class Form:
    """A jaxpr whose numbers are an argument; one object for equal ones, as long as it lives."""

    def __init__(self, closed: Any) -> None:
        self._closed = closed

    def __call__(self, numbers: Any, *arguments: Any) -> Any:
        """The first result, with `numbers` as `form_of` gives them, in their place."""
        if self._arrays is not None:
            return self._arrays(numbers, *arguments)
        jaxpr = self._closed.jaxpr
        own = iter([numbers[k] for k in range(len(numbers))])
        known: dict[Any, Any] = {}
        for variable, value in zip(jaxpr.constvars, self._closed.consts, strict=True):
            if _is_lifted(value):
                parts = [next(own) for _ in range(np.size(value))]
                value = jnp.stack(parts).reshape(np.shape(value)) if parts else value
            known[variable] = value
        known.update(zip(jaxpr.invars, arguments, strict=True))

        def read(atom: Any) -> Any:
            if not isinstance(atom, Literal):
                return known[atom]
            return next(own) if _is_lifted(atom.val) else atom.val

        for eqn in jaxpr.eqns:
            result = eqn.primitive.bind(*map(read, eqn.invars), **eqn.params)
            results = result if eqn.primitive.multiple_results else [result]
            known.update(zip(eqn.outvars, results, strict=True))
        return read(jaxpr.outvars[0])

    @cached_property
    def _arrays(self) -> Vectorised | None:
        """The evaluation by arrays of what has many equations, of scalars."""
        jaxpr, consts = self._closed.jaxpr, self._closed.consts
        count = len(jaxpr.eqns)
        if count < min(MANY, SEVERAL) or any(np.ndim(c) or not _is_lifted(c) for c in consts):
            return None
        literals = [atom for atom in _literals(jaxpr) if _is_lifted(atom.val)]
        positions = {id(atom): len(consts) + k for k, atom in enumerate(literals)}
        arrays = Vectorised(jaxpr, range(len(consts)), lambda atom: positions.get(id(atom)))
        regular = len(arrays.steps) * ALIKE_EACH <= count
        return arrays if count >= MANY or regular else None


_forms: WeakValueDictionary[Any, Form] = WeakValueDictionary()


def form_of(closed: Any) -> tuple[Form, Array]:
    """The form of a jaxpr with one result, and its numbers of float64 in their order."""
    numbers = [np.ravel(value) for value in closed.consts if _is_lifted(value)]
    numbers += [np.ravel(atom.val) for atom in _literals(closed.jaxpr) if _is_lifted(atom.val)]
    key = _text(closed)
    form = _forms.get(key)
    if form is None:
        form = _forms[key] = Form(closed)
    return form, np.concatenate([np.zeros(0), *numbers])


def _is_lifted(value: Any) -> bool:
    return getattr(value, "dtype", np.result_type(value)) == np.float64


def _literals(jaxpr: Any) -> Iterator[Literal]:
    for atoms in (*(eqn.invars for eqn in jaxpr.eqns), jaxpr.outvars):
        yield from (atom for atom in atoms if isinstance(atom, Literal))


def _text(closed: Any) -> str:
    """The jaxpr without its numbers; jaxprs inside of it are written with theirs."""
    jaxpr = closed.jaxpr
    places: dict[Any, int] = {}

    def written(atoms: Sequence[Any]) -> str:
        return " ".join(
            f"#{np.shape(a.val)}" if isinstance(a, Literal) and _is_lifted(a.val)
            else repr(a.val) if isinstance(a, Literal)
            else str(places.setdefault(a, len(places)))
            for a in atoms
        )  # fmt: skip

    lines = [" ".join(str(v.aval) for v in (*jaxpr.constvars, *jaxpr.invars))]
    lines += ["" if _is_lifted(c) else repr(np.asarray(c).tolist()) for c in closed.consts]
    lines.append(written([*jaxpr.constvars, *jaxpr.invars]))
    for eqn in jaxpr.eqns:
        params = " ".join(f"{name}={eqn.params[name]}" for name in sorted(eqn.params))
        lines.append(f"{eqn.primitive.name} {params} {written(eqn.invars)} {written(eqn.outvars)}")
    return "\n".join([*lines, written(jaxpr.outvars)])
