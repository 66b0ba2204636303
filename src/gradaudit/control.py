"""What the step controller sees: norms that turn forward AD into error-controlled tangents.

All three kinds are one expression with traced weights, so that one compiled program serves every
method and every tolerance.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax.numpy as jnp
import jax.tree_util as jtu

from gradaudit.errors import SettingError
from gradaudit.lifted import Lifted
from gradaudit.sciml import SciMLController

PID = (0.0, 1.0, 0.0)
"""The coefficients that diffrax has by default: an integral controller."""


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
    steps
        Number of equal steps in place of error control; 0 for error control.
    root_tolerance
        Tolerances of an implicit solver's root finder, over those of the step controller.
    pid
        Proportional, integral and derivative coefficient of diffrax's controller.
    """

    tangent_weight: Any
    dual: Any
    width: Any
    scale: Any
    steps: Any = 0.0
    root_tolerance: Any = 1.0
    pid: Any = PID


def block_norm(control: Control, error: Lifted, before: Lifted, after: Lifted, rtol, atol, n: int):
    """Scaled error of a step, a scalar; the step is good if it is below 1.

    The first `n` components are states, what follows are integrals, which take no part. A block's
    norm is the root mean square over its n components, as in diffrax.
    """

    def size(a, b):
        # A step that leaves the domain of f is scaled by where it came from, as in diffrax.
        return jnp.maximum(jnp.abs(a), jnp.where(jnp.isnan(b), jnp.abs(a), jnp.abs(b)))[:n]

    state_size = size(before.y, after.y)
    tangent_size = size(before.tangents, after.tangents)
    e, tangent_e = error.y[:n], error.tangents[:n]
    state = _rms(e / (atol + rtol * state_size))
    tangent = jnp.max(_rms(tangent_e / (atol + rtol * tangent_size)), initial=0.0)
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


def state_norm(error, before, after, rtol, atol):
    """Root mean square of the scaled error of the states: diffrax's own norm, a scalar."""
    size = jnp.maximum(
        jnp.abs(before), jnp.where(jnp.isnan(after), jnp.abs(before), jnp.abs(after))
    )
    norm = _rms(error / (atol + rtol * size))
    return jnp.where(jnp.isnan(norm), jnp.inf, norm)


def _rms(x):
    return jnp.sqrt(jnp.mean(x**2, axis=0))


class NormController(diffrax.AbstractAdaptiveStepSizeController):
    """A controller that is shown a scalar, ``scaled(error, before, after)``, for the error vector.

    `scalar` is any step size controller that takes a scaled error as it is.
    """

    scalar: Any
    scaled: Any
    rtol: Any = 0.0
    atol: Any = 1.0
    norm: Any = eqx.field(static=True, default=abs)

    def wrap(self, direction):
        return eqx.tree_at(lambda c: c.scalar, self, self.scalar.wrap(direction))

    def init(self, terms, t0, t1, y0, dt0, args, func, error_order):
        return self.scalar.init(terms, t0, t1, jnp.zeros(()), dt0, args, func, error_order)

    def adapt_step_size(
        self, t0, t1, y0, y1_candidate, args, y_error, error_order, controller_state
    ):
        zero = jnp.zeros(())
        estimated = bool(jtu.tree_leaves(y_error))
        if not estimated and not isinstance(self.scalar, EqualSteps):
            raise SettingError("this solver has no error estimate: it takes equal steps only.")
        error = self.scaled(y_error, y0, y1_candidate) if estimated else None
        return self.scalar.adapt_step_size(
            t0, t1, zero, zero, args, error, error_order, controller_state
        )


class EqualSteps(diffrax.AbstractAdaptiveStepSizeController):
    """Equal steps where there are `steps` > 0, else those of the controller `adaptive`.

    The number is traced, so that one compiled program serves every number, and error control too.
    Without `adaptive`, for a solver that has no error estimate, there must be `steps`.
    """

    steps: Any
    t_end: float = eqx.field(static=True)
    adaptive: Any
    rtol: Any = 0.0
    atol: Any = 1.0
    norm: Any = eqx.field(static=True, default=abs)

    def wrap(self, direction):
        return self

    def init(self, terms, t0, t1, y0, dt0, args, func, error_order):
        done = jnp.floor(t0 * self.steps / self.t_end + 1e-6)
        if self.adaptive is None:
            return self._end_of_step(done), (done, None)
        first, state = self.adaptive.init(terms, t0, t1, y0, dt0, args, func, error_order)
        return jnp.where(self.steps > 0, self._end_of_step(done), first), (done, state)

    def _end_of_step(self, done):
        return self.t_end * (done + 1) / self.steps

    def adapt_step_size(
        self, t0, t1, y0, y1_candidate, args, y_error, error_order, controller_state
    ):
        done, state = controller_state
        # A step may have been clipped to end at an observation before.
        end, length = self._end_of_step(done), self.t_end / self.steps
        done = done + (t1 >= end - 1e-6 * length)
        following = self._end_of_step(done)
        if self.adaptive is None:
            result = diffrax.RESULTS.where(
                self.steps > 0, diffrax.RESULTS.successful, diffrax.RESULTS.internal_error
            )
            return self.steps > 0, t1, following, False, (done, None), result
        keep, start, end, jump, state, result = self.adaptive.adapt_step_size(
            t0, t1, y0, y1_candidate, args, y_error, error_order, state
        )
        equal = self.steps > 0
        result = diffrax.RESULTS.where(equal, diffrax.RESULTS.successful, result)
        start, end = jnp.where(equal, t1, start), jnp.where(equal, following, end)
        return keep | equal, start, end, jump, (done, state), result


def scalar_controller(
    stepping: str,
    *,
    order: int,
    t_end: float,
    control: Control | None = None,
    adaptive: bool = True,
    longest: float | None = None,
):
    """What turns a scaled error into the next step: "diffrax" (its default, integral) or "sciml".

    The smallest step that still moves t is about eps * t_end; below it the solve is stuck and ends.
    `control` has the coefficients, and the number of equal steps that may take its place; a solver
    that is not `adaptive` has no error to show. No step of "diffrax" exceeds `longest`.
    """
    if not adaptive:
        return EqualSteps(0.0 if control is None else control.steps, t_end, None)
    dtmin = 1e-3 * float(jnp.finfo(jnp.result_type(float)).eps) * t_end
    controller: Any
    if stepping == "sciml":
        controller = SciMLController(order, dtmin)
    else:
        p, i, d = PID if control is None else control.pid
        controller = diffrax.PIDController(
            rtol=0.0,
            atol=1.0,
            norm=abs,
            dtmin=dtmin,
            dtmax=longest,
            force_dtmin=False,
            pcoeff=p,
            icoeff=i,
            dcoeff=d,
        )
    return controller if control is None else EqualSteps(control.steps, t_end, controller)
