"""What XLA is told in ``XLA_FLAGS``, which it reads when JAX first runs something."""

from __future__ import annotations

import os

LOOPS = "xla_cpu_small_while_loop_byte_threshold"
ALL_LOOPS = 1 << 30  # bytes that the body of a loop moves


def compile_loops_whole() -> None:
    """Have XLA compile a loop on the CPU as one kernel, also where its body is not small.

    By default it does so up to 1 kB, and dispatches every fused operation of a larger body one by
    one, which costs more than the arithmetic of an ODE with a few states: two to five times as much
    in all (``benchmarks/checked_cost.py``). What has been set for this in ``XLA_FLAGS`` is kept,
    and where JAX has run something already nothing changes.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if LOOPS not in flags:
        option = f"--xla_backend_extra_options={LOOPS}={ALL_LOOPS}"
        os.environ["XLA_FLAGS"] = f"{flags} {option}".strip()
