"""States that lie below their absolute tolerance and grow out of it.

An epidemic that begins with one case in 1e9, amplification from a seed: as long as a state is
smaller than `atol` its steps are as long as the other states allow, and its relative error, which
is amplified with it, is not controlled. The embedded error of such a step is too small, for it is
that of a step much shorter than the time in which the state grows. So such steps are noticed by
themselves: a state that grows by a factor in one step, while it is faint, with an embedded error
that is no small part of it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp

from gradaudit.backend.shapes import Scalar, ScalarLike, States

LARGEST_GROWTH = 3.0
"""In one step; what grows faster exponentially is not resolved by a method of order 5."""


class Faint(NamedTuple):
    """What the steps so far have shown of the faint states, taken together.

    Together, for a state that others produce grows without its error being amplified; where all
    faint states grow, they are amplified.

    Attributes
    ----------
    error
        The largest embedded error of a step in which they grew, over their size; norms of all.
    size
        The smallest size of them before such a step, infinite if there was none.
    emerged
        The largest `error` of before a state ceased to be faint.
    smallest
        The smallest `size` of before that.
    """

    error: Scalar
    size: Scalar
    emerged: Scalar
    smallest: Scalar

    @classmethod
    def none(cls) -> Faint:
        """Before the first step."""
        zero = jnp.zeros(())
        return cls(zero, zero + jnp.inf, zero, zero + jnp.inf)

    def including(
        self, before: States, after: States, error: Any, rtol: ScalarLike, atol: Any
    ) -> Faint:
        """After another step, with the embedded error (N,) of its states."""
        if error is None:  # Euler's method has none
            return self
        faint = rtol * jnp.abs(before) < atol

        def norm(x: States) -> Scalar:
            return jnp.sqrt(jnp.sum(jnp.where(faint, x, 0.0) ** 2))

        old, new = norm(before), norm(after)
        grows = (new > LARGEST_GROWTH * old) & (old > 0)
        share = jnp.where(grows, norm(error) / jnp.where(new > 0, new, 1.0), 0.0)
        largest = jnp.maximum(self.error, share)
        size = jnp.where(grows, jnp.minimum(self.size, old), self.size)
        out = jnp.any(faint & (rtol * jnp.abs(after) >= atol))
        return Faint(
            largest,
            size,
            jnp.where(out, largest, self.emerged),
            jnp.where(out, size, self.smallest),
        )
