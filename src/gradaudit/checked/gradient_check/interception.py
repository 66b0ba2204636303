"""diffrax's `diffeqsolve` replaced for a while, in one thread, wherever a function calls it.

`diffrax.diffeqsolve` is an object of equinox, `filter_jit` around a function, and user code holds
references to it (``from diffrax import diffeqsolve``) and copies in closures. Every call of such an
object looks up `equinox._jit._call`, so this is the one place where all of them pass. The hook that
is put there asks a context of JAX (`jax.make_user_context`) what to do. That context belongs to the
keys of JAX's caches: a function that was traced before by the user's own `jax.jit`, in a scan or
under `jax.checkpoint` is traced again for every value of it, and the trace without replacement is
found again afterwards. It belongs to the thread, too: other threads see diffrax as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import diffrax
import equinox._jit as equinox_jit
import jax

from gradaudit.errors import GradauditError


class RefusedSolveError(GradauditError):
    """A solve that cannot be replaced; the message names the option."""


class Replacement(Protocol):
    """What is called instead: hashable, and equal to another that does the same."""

    def __hash__(self) -> int: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """With the arguments of `diffrax.diffeqsolve`."""


_replacement = jax.make_user_context(default_value=None)
_lock = threading.Lock()
_users = 0
_original: Callable[..., Any] = equinox_jit._call


def _hook(wrapper: Any, is_lower: bool, args: Any, kwargs: Any) -> Any:
    replacement = _replacement.value
    # Copies of the object, made as a pytree, share the function that was compiled.
    theirs = wrapper._cached is diffrax.diffeqsolve._cached
    if replacement is None or is_lower or not theirs:
        return _original(wrapper, is_lower, args, kwargs)
    return replacement(*args, **kwargs)


@contextmanager
def replaced(replacement: Replacement) -> Iterator[None]:
    """Within, and in this thread, calls of `diffrax.diffeqsolve` are calls of `replacement`.

    Functions that were compiled before are traced again. The hook is removed when the last thread
    has left, also after an exception.
    """
    global _users, _original
    with _lock:
        if _users == 0:
            _original = equinox_jit._call
            equinox_jit._call = _hook
        _users += 1
    try:
        with _replacement(replacement):
            yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                equinox_jit._call = _original


@contextmanager
def diffrax_itself() -> Iterator[None]:
    """Within a replacement: diffrax as it is."""
    with _replacement(None):
        yield
