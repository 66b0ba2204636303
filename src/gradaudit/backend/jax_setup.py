"""JAX as this package needs it: float64, and a compilation cache that survives the process.

Importing this module is what makes a process pay for JAX; only code that traces does so.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import equinox._errors as _equinox_errors
import jax
import numpy as np

from gradaudit.backend.cache_folder import made
from gradaudit.backend.xla_flags import compile_loops_whole

jax.config.update("jax_enable_x64", True)

FAST_COMPILATION: dict[str, str | bool] = {
    "xla_cpu_opt_preset": "CPU_OPT_PRESET_FAST_COMPILE",
    # Each fused operation would pass through MLIR, which is half of the time where LAPACK keeps a
    # loop from being one kernel.
    "xla_cpu_use_fusion_emitters": False,
}
"""For programs that run for milliseconds once they are compiled; 0.7 to 1.1 times as long."""

UNOPTIMISED: dict[str, str | bool] = {**FAST_COMPILATION, "xla_backend_optimization_level": "0"}
"""For programs that run once: compiled in half to a third of the time, three times as slow."""

_options = ContextVar("how programs are compiled", default=FAST_COMPILATION)

compile_loops_whole()


def use_compilation_cache(folder: Path) -> None:
    """Keep compiled programs in `folder`, so that a second process need not compile again."""
    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    jax.config.update("jax_compilation_cache_dir", str(made(folder).resolve()))
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


@contextmanager
def precision(dtype: str) -> Iterator[None]:
    """Trace and run in "float64", or in "float32" as a user has it who never asked for more.

    With 64 bit switched off for the moment, the constants of a vector field, time and integers are
    of single precision as well; a cast of the inputs alone would leave them in double.
    """
    with jax.enable_x64(dtype == "float64"), warnings.catch_warnings():
        if dtype == "float32":  # a constant of double precision in a vector field
            warnings.filterwarnings("ignore", message="Explicitly requested dtype")
        yield


@contextmanager
def to_run_once() -> Iterator[None]:
    """Compile what is compiled here for its result alone, not for its speed."""
    token = _options.set(UNOPTIMISED)
    try:
        yield
    finally:
        _options.reset(token)


def compile_for(
    function: Callable[..., Any], inputs: Any, options: Mapping[str, str | bool] | None = None
) -> Any:
    """The compiled program of a function, for inputs of these shapes."""
    with runtime_errors_as_nan():
        lowered = jax.jit(function).lower(*inputs)
    try:
        return lowered.compile(
            compiler_options=dict(_options.get() if options is None else options)
        )
    except jax.errors.JaxRuntimeError:  # a version of XLA that has no such option
        return lowered.compile()


def run_compiled(
    compiled: dict[Any, Any],
    key: Hashable,
    function: Callable[..., Any],
    inputs: Any,
    dtype: str = "float64",
) -> tuple[Any, float, float]:
    """`function(*inputs)` in the precision `dtype`, compiled at most once for each `key`.

    Real inputs are cast, complex ones follow; outputs come back in double precision. With them come
    the seconds of the warm run and those of the compilation.
    """

    # Arrays of numpy: as those of JAX, made one by one, they would take longer than a short solve.
    def load(x: Any) -> np.ndarray:
        return np.asarray(x, dtype=np.result_type(dtype, 1j) if np.iscomplexobj(x) else dtype)

    def fetch(x: Any) -> np.ndarray:
        x = np.asarray(x)
        double = {np.dtype(np.float32): np.float64, np.dtype(np.complex64): np.complex128}
        return x.astype(double.get(x.dtype, x.dtype), copy=False)

    compile_seconds = 0.0
    with precision(dtype):
        inputs = jax.tree_util.tree_map(load, inputs)
        key = (key, _options.get() is UNOPTIMISED)
        if key not in compiled:
            start = time.perf_counter()
            compiled[key] = compile_for(function, inputs)
            compile_seconds = time.perf_counter() - start
        start = time.perf_counter()
        outputs = jax.block_until_ready(compiled[key](*inputs))
        seconds = time.perf_counter() - start
    return jax.tree_util.tree_map(fetch, outputs), seconds, compile_seconds
