"""Functions of a user's own program, whose mistakes are told in words and not as JAX tells them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import jax.numpy as jnp
import jax.tree_util as jtu

from gradaudit.errors import GradauditError, SettingError
from gradaudit.model.trace_errors import explained, index_error, line_of, missing_name

BRANCH = "Write the branch with jnp.where; where it switches at fixed times, name these in jump_ts."
OWN_ERRORS = ("custom_vjp",)
"""In the text of errors that the package tells in words of its own."""


def told(name: str, function: Any) -> Any:
    """A function whose exceptions come as a `SettingError` that says what is wrong, and where.

    Parameters
    ----------
    name
        Of the argument that the function was given as.
    function
        The function; what cannot be called comes back as it is.

    Returns
    -------
    Callable
        It raises what the function raises as the cause of a SettingError.
    """
    if not callable(function):
        return function

    seen: set[Any] = set()

    @wraps(function, updated=())
    def called(*arguments: Any) -> Any:
        try:
            _check_indices(name, function, arguments, seen)
            return function(*arguments)
        except GradauditError:
            raise
        except Exception as error:
            if any(text in str(error) for text in OWN_ERRORS):
                raise
            raise SettingError(_message(name, function, error, arguments)) from error

    return called


def _check_indices(
    name: str, function: Callable[..., Any], arguments: tuple[Any, ...], seen: set[Any]
) -> None:
    """Once for arguments of these shapes; JAX takes the last entry for one that does not exist."""
    shapes = jtu.tree_structure(arguments), tuple(map(jnp.shape, jtu.tree_leaves(arguments)))
    if shapes in seen:
        return
    seen.add(shapes)
    error = index_error(function, arguments)
    if error is not None:
        shown = ", ".join(map(_shape, arguments))
        raise SettingError(
            f"{_place(name, function)}{line_of(error, function)} reads an entry that does not "
            f"exist: {error}. It is called with {shown}."
        ) from error


def _message(
    name: str, function: Callable[..., Any], error: Exception, arguments: tuple[Any, ...]
) -> str:
    found = missing_name(error, *arguments)
    if found:
        place = f"{_place(name, function)}{line_of(error, function)}"
        return f"{place} reads the name {error.args[0]!r}{found}."
    shown = f"It is called with {', '.join(map(_shape, arguments))}."
    text = explained(error, function, _place(name, function), branch=BRANCH, arrays=shown)
    return text if text.endswith(".") else f"{text}. {shown}"


def _place(name: str, function: Callable[..., Any]) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{name} ({code.co_filename})" if code is not None else name


def _shape(argument: Any) -> str:
    if isinstance(argument, Mapping):
        return f"a dict of {', '.join(map(str, argument))}"
    leaves = jtu.tree_leaves(argument)
    if len(leaves) == 1 and leaves[0] is argument:
        shape = jnp.shape(argument)
        return f"an array of shape {shape}" if shape else "a number"
    return f"a {type(argument).__name__} of {len(leaves)} arrays"
