"""Identities that refuse a derivative in words, where JAX would give a wrong or puzzling one."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax

from gradaudit.errors import GradauditError


class DerivativeError(GradauditError):
    """A derivative was asked for that is not defined here."""


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def without_derivative(sentence: str, tree: Any) -> Any:
    """`tree` as it is; differentiating it raises `DerivativeError` with that sentence."""
    del sentence
    return tree


@without_derivative.defjvp
def _refuse(sentence: str, primals: Any, tangents: Any) -> Any:
    del primals, tangents
    raise DerivativeError(sentence)
