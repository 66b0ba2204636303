"""What the step controller sees: norms that turn forward AD into error-controlled tangents.

All three kinds are one expression with traced weights, so that one compiled program serves every
method and every tolerance.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from gradaudit.backend.shapes import ComponentsOf, Scalar, ScalarLike, SizesOf, Slopes, Vector
from gradaudit.solvers.options import TracedOptions
from gradaudit.solvers.tangent_solver import WithTangents


class Control(NamedTuple):
    """Weights of the error norm, all traced.

    Attributes
    ----------
    tangent_weight
        0: steps from the states alone (forward AD). 1: the maximum over the block of the states and
        the blocks of the tangents, each in its parameter's own scale (full error control).
    dual
        1: the norm of dual numbers in the SciML stack, which replaces both.
    width
        Number of partials that a dual number carries there, padding included.
    scale
        |p_j| or 1, shape (c,): the tangents carried are p_j dy/dp_j.
    """

    tangent_weight: ScalarLike
    dual: ScalarLike
    width: ScalarLike
    scale: Slopes | np.ndarray


def block_norm(
    control: Control,
    options: TracedOptions,
    error: WithTangents,
    before: WithTangents,
    after: WithTangents,
    n: int,
) -> Scalar:
    """Scaled error of a step, a scalar; the step is good if it is below 1.

    The first `n` components are states, what follows are integrals, which take no part. A block's
    norm is the root mean square over its n components, as in diffrax.
    """

    def size(a: Array, b: Array) -> Array:
        # A step that leaves the domain of f is scaled by where it came from, as in diffrax.
        return jnp.maximum(jnp.abs(a), jnp.where(jnp.isnan(b), jnp.abs(a), jnp.abs(b)))[:n]

    rtol, atol = options.rtol, options.atol
    state_size = size(before.y, after.y)
    tangent_size = size(before.tangents, after.tangents)
    e, tangent_e = error.y[:n], error.tangents[:n]
    state = _rms(e / (atol + rtol * state_size))
    of_tangents = jnp.asarray(atol)[..., None]  # atol is a scalar, or one for each state (n,)
    tangent = jnp.max(_rms(tangent_e / (of_tangents + rtol * tangent_size)), initial=0.0)
    # 0 * inf is NaN, so the weight selects; it does not multiply.
    blocks = jnp.where(control.tangent_weight > 0, jnp.maximum(state, tangent), state)

    # SciML: err_i is a dual number, scaled by atol + rtol |u_i| with |u_i| the norm over value and
    # partials; the norm of the vector counts every partial as a component.
    dual_size = jnp.sqrt(state_size**2 + jnp.sum((tangent_size / control.scale) ** 2, axis=1))
    dual_error = e**2 + jnp.sum((tangent_e / control.scale) ** 2, axis=1)
    squares = jnp.sum(dual_error / (atol + rtol * dual_size) ** 2)
    dual = jnp.sqrt(squares / (n * (1.0 + control.width)))
    norm = jnp.where(control.dual > 0, dual, blocks)
    # inf / inf in a step that overflowed; as NaN it would stall the controller for ever.
    return jnp.where(jnp.isnan(norm), jnp.inf, norm)


def state_norm(options: TracedOptions, error: Vector, before: Vector, after: Vector) -> Scalar:
    """Root mean square of the scaled error of the states: diffrax's own norm, a scalar."""
    size = jnp.maximum(
        jnp.abs(before), jnp.where(jnp.isnan(after), jnp.abs(before), jnp.abs(after))
    )
    norm = _rms(error / (options.atol + options.rtol * size))
    return jnp.where(jnp.isnan(norm), jnp.inf, norm)


def _rms(x: ComponentsOf) -> SizesOf:
    return jnp.sqrt(jnp.mean(x**2, axis=0))
