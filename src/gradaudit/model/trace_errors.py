"""What went wrong while JAX traced a function of a user: in words, at which line, what to do."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from gradaudit.model.spec import hint


def explained(
    error: Exception, function: Callable[..., Any], what: str, *, branch: str, arrays: str
) -> str:
    """A message for an exception that a function raised while it was traced.

    Parameters
    ----------
    error, function
        The exception, and the function that was called.
    what
        The function in words: the beginning of the sentence.
    branch
        What to do in place of a branch of python, the end of a sentence.
    arrays
        What the arguments are, for a function that takes them for something else.
    """
    place = f"{what}{line_of(error, function)}"
    match error:
        case jax.errors.TracerBoolConversionError():
            return (
                f"{place} branches in python on a traced value (if, while, and, or, min, max). "
                f"{branch}"
            )
        case jax.errors.TracerArrayConversionError():
            return (
                f"{place} applies a numpy function to a traced value. "
                "Use the function of the same name of jax.numpy: jnp.sin, not np.sin."
            )
        case jax.errors.TracerIntegerConversionError():
            return f"{place} uses a traced value as an index; an index must not depend on t, y, p."
        case jax.errors.ConcretizationTypeError():
            return (
                f"{place} makes a python number of a traced value (float, int, or a function of "
                "math). Use the functions of jax.numpy, which keep it traced."
            )
    text = f"{place} failed with {type(error).__name__}: {str(error).strip()}"
    if "string indexing" in text or "values to unpack" in text:
        text += f". {arrays}"
    return text


def index_error(function: Callable[..., Any], arguments: tuple[Any, ...]) -> IndexError | None:
    """What NumPy says of ``p[3]`` of three numbers, for which JAX silently takes the last one."""
    ones = jax.tree_util.tree_map(lambda x: np.ones(np.shape(x)), arguments)
    try:
        with np.errstate(all="ignore"):
            jax.make_jaxpr(lambda: function(*ones))()
    except IndexError as error:
        return error
    except Exception:  # what else NumPy does not take, JAX takes, or tells of itself
        return None
    return None


def missing_name(error: Exception, *arguments: Any) -> str:
    """For the KeyError of a name that no dict among the arguments has: the names that there are."""
    if not isinstance(error, KeyError) or not error.args:
        return ""
    name = error.args[0]
    for argument in arguments:
        if isinstance(argument, Mapping) and name not in argument:
            known = [str(key) for key in argument]
            return f"{hint(str(name), known)}; the names are {', '.join(known)}"
    return ""


def line_of(error: Exception, function: Callable[..., Any]) -> str:
    """The last line of the function's own file that the exception passed, as ``, line 12,``."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return ""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == code.co_filename
    ]
    return f", line {lines[-1]}," if lines else ""
