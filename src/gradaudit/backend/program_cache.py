"""A cache by identity, for what is compiled for an object that does not hash, such as a model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

Key = TypeVar("Key")
Options = ParamSpec("Options")
Result = TypeVar("Result")


class _ByIdentity:
    """Lets a cache hold an object that does not hash."""

    def __init__(self, held: object) -> None:
        self.held = held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.held is self.held

    def __hash__(self) -> int:
        return id(self.held)


def identity_cache(
    build: Callable[Concatenate[Key, Options], Result],
) -> Callable[Concatenate[Key, Options], Result]:
    """Cache ``build(key, *options)`` by the identity of its first argument and equal options.

    Options may be given by position, by keyword or left to their defaults: the entry is the same.
    The 32 entries used last are kept, with their keys.
    """
    signature = inspect.signature(build)

    @lru_cache(maxsize=32)
    def cached(key: _ByIdentity, options: tuple[object, ...]) -> Result:
        return build(key.held, *options)  # type: ignore[arg-type, call-arg]

    @wraps(build)
    def through_cache(key: Key, *args: Options.args, **keywords: Options.kwargs) -> Result:
        bound = signature.bind(key, *args, **keywords)
        bound.apply_defaults()
        if bound.kwargs:
            raise TypeError(f"{build.__name__}: options of a cached function are not keyword-only.")
        return cached(_ByIdentity(key), bound.args[1:])

    return through_cache


_of_function: WeakKeyDictionary[Any, dict[Hashable, dict[Any, Any]]] = WeakKeyDictionary()


def programs_of(function: Any, key: Hashable) -> dict[Any, Any]:
    """A dict for what is compiled of a function with equal keys, as long as the function lives.

    An empty one each time for a function that does not hash.
    """
    try:
        return _of_function.setdefault(function, {}).setdefault(key, {})
    except TypeError:
        return {}
