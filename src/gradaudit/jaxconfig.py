"""JAX as this package needs it: float64, and a compilation cache that survives the process.

Importing this module is what makes a process pay for JAX; only code that traces does so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import equinox._errors as _equinox_errors
import jax

jax.config.update("jax_enable_x64", True)


def use_compilation_cache(folder: Path) -> None:
    """Keep compiled programs in `folder`, so that a second process need not compile again."""
    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    folder.mkdir(parents=True, exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", str(folder.resolve()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


@contextmanager
def runtime_errors_as_nan() -> Iterator[None]:
    """Trace equinox's run-time checks as "NaN instead of an exception".

    An implicit stage that is rejected may well be non-finite. Lineax would then raise from inside
    the compiled loop and take the whole solve with it, although the step controller stands ready
    to try a smaller step. Equinox reads this choice (its ``EQX_ON_ERROR``) when a check is traced,
    so it is set here only around the tracing of our own programs and leaves a user's code alone.
    Without the host callbacks of those checks the programs can be cached on disk, too.
    """
    before = _equinox_errors.EQX_ON_ERROR
    _equinox_errors.EQX_ON_ERROR = "nan"
    try:
        yield
    finally:
        _equinox_errors.EQX_ON_ERROR = before
