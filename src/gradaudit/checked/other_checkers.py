"""Checkers of gradients that people use, each on a function of numbers and its gradient.

- "differences": central differences over steps from 1e-1 to 1e-8 of each parameter; it passes where
  every entry is met within 1e-2 by some step
- "check_grads": `jax.test_util.check_grads` with atol = rtol = 1e-2
- "fiddy": forward, backward and central differences of fiddy over the same steps; inconclusive
  where its `Consistency` does not hold, else its `NumpyIsCloseDerivativeCheck` with rtol = 1e-2

None of them knows how accurate the function is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Function = Callable[[Array], float]
Checker = Callable[[Function, Array, Array], str]

PASSED, FAILED, OPEN = "passed", "failed", "inconclusive"
CLOSE = 1e-2
"""The relative error within which an entry is met."""
STEPS = 10.0 ** -np.arange(1, 9)
NOTHING = 1e-12
"""An absolute error that is none, for entries that are 0."""


def by_differences(function: Function, p: Array, gradient: Array) -> str:
    """Whether every entry is met by a central difference with some step."""
    for j, size in enumerate(np.where(p == 0.0, 1.0, np.abs(p))):
        unit = np.zeros(len(p))
        unit[j] = size
        met = False
        for h in STEPS:
            found = (function(p + h * unit) - function(p - h * unit)) / (2.0 * h * size)
            met = abs(found - gradient[j]) <= CLOSE * abs(gradient[j]) + NOTHING
            if met:
                break
        if not met:
            return FAILED
    return PASSED


def by_jax(function: Function, p: Array, gradient: Array) -> str:
    """What `check_grads` says of the function with this gradient as its rule."""
    from jax.test_util import check_grads

    shape = jax.ShapeDtypeStruct((), jnp.float64)

    def called(p: jax.Array) -> jax.Array:
        return jax.pure_callback(
            lambda at: np.float64(function(np.asarray(at))), shape, p, vmap_method="sequential"
        )

    @jax.custom_jvp
    def ruled(p: jax.Array) -> jax.Array:
        return called(p)

    ruled.defjvp(lambda p, v: (called(p[0]), jnp.asarray(gradient) @ v[0]))
    try:
        check_grads(ruled, (jnp.asarray(p),), order=1, modes=["fwd"], atol=CLOSE, rtol=CLOSE)
    except AssertionError:
        return FAILED
    return PASSED


def by_fiddy(function: Function, p: Array, gradient: Array) -> str:
    """What fiddy says."""
    from fiddy import MethodId, get_derivative
    from fiddy.derivative_check import NumpyIsCloseDerivativeCheck
    from fiddy.success import Consistency

    found = get_derivative(
        function=lambda p: np.asarray(function(p)),
        point=p,
        sizes=list(STEPS),
        direction_indices=list(range(len(p))),
        method_ids=[MethodId.FORWARD, MethodId.BACKWARD, MethodId.CENTRAL],
        success_checker=Consistency(),
        relative_sizes=bool(np.all(p != 0.0)),
    )
    if not all(own.success for own in found.directional_derivatives):
        return OPEN
    check = NumpyIsCloseDerivativeCheck(derivative=found, expectation=gradient, point=p)
    return PASSED if check(rtol=CLOSE).success else FAILED


CHECKERS: Mapping[str, Checker] = MappingProxyType(
    {"differences": by_differences, "check_grads": by_jax}
    | ({"fiddy": by_fiddy} if find_spec("fiddy") is not None else {})
)
"""By name; fiddy where it is installed."""
