"""Step controllers that read the scaled error from a norm of their own."""

from __future__ import annotations

from typing import Any

import diffrax
import equinox as eqx
import jax.numpy as jnp
import jax.tree_util as jtu

from gradaudit.backend.shapes import Scalar, ScalarLike
from gradaudit.errors import SettingError
from gradaudit.solvers.controller import Attempt, Controller, Start, StepDecision
from gradaudit.solvers.options import PID, Stepping, TracedOptions
from gradaudit.solvers.sciml_controller import SciMLController


class NormController(Controller):
    """A controller that is shown a scalar, ``scaled(error, before, after)``, for the error vector.

    `scalar` is any step size controller that takes a scaled error as it is.
    """

    scalar: Any
    scaled: Any

    def wrap(self, direction: Any) -> NormController:
        return eqx.tree_at(lambda c: c.scalar, self, self.scalar.wrap(direction))

    def begin(self, start: Start) -> tuple[Scalar, Any]:
        return self.scalar.init(*start._replace(y0=jnp.zeros(())))

    def decide(self, attempt: Attempt) -> StepDecision:
        zero = jnp.zeros(())
        estimated = bool(jtu.tree_leaves(attempt.y_error))
        if not estimated and not isinstance(self.scalar, EqualSteps):
            raise SettingError("this solver has no error estimate: it takes equal steps only.")
        vectors = attempt.y_error, attempt.y0, attempt.y1_candidate
        error = self.scaled(*vectors) if estimated else None
        return self.scalar.adapt_step_size(
            *attempt._replace(y0=zero, y1_candidate=zero, y_error=error)
        )


class EqualSteps(Controller):
    """Equal steps where there are `steps` > 0, else those of the controller `adaptive`.

    The number is traced, so that one compiled program serves every number, and error control too.
    Without `adaptive`, for a solver that has no error estimate, there must be `steps`.
    """

    steps: Any
    t_end: Any
    adaptive: Any

    def begin(self, start: Start) -> tuple[Scalar, Any]:
        done = jnp.floor(start.t0 * self.steps / self.t_end + 1e-6)
        if self.adaptive is None:
            return self._end_of_step(done), (done, None)
        first, state = self.adaptive.init(*start)
        return jnp.where(self.steps > 0, self._end_of_step(done), first), (done, state)

    def _end_of_step(self, done: Scalar) -> Scalar:
        return self.t_end * (done + 1) / self.steps

    def decide(self, attempt: Attempt) -> StepDecision:
        (done, state), t1 = attempt.controller_state, attempt.t1
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
            *attempt._replace(controller_state=state)
        )
        equal = self.steps > 0
        result = diffrax.RESULTS.where(equal, diffrax.RESULTS.successful, result)
        start, end = jnp.where(equal, t1, start), jnp.where(equal, following, end)
        return keep | equal, start, end, jump, (done, state), result


def scalar_controller(
    stepping: Stepping,
    *,
    order: int,
    t_end: ScalarLike,
    options: TracedOptions | None = None,
    adaptive: bool = True,
    longest: float | None = None,
) -> Any:
    """What turns a scaled error into the next step: "diffrax" (its default, integral) or "sciml".

    The smallest step that still moves t is about eps * t_end; below it the solve is stuck and ends.
    `options` have the coefficients, the longest step, and the number of equal steps that may take
    its place; a solver that is not `adaptive` has no error to show. No step exceeds `longest`.
    """
    if not adaptive:
        return EqualSteps(jnp.zeros(()) if options is None else options.steps, t_end, None)
    dtmin = 1e-3 * float(jnp.finfo(jnp.result_type(float)).eps) * t_end
    dtmax: Any = longest
    if options is not None:
        dtmax = options.dtmax if longest is None else jnp.minimum(options.dtmax, longest)
    controller: Any
    if stepping == "sciml":
        controller = SciMLController(order, dtmin, jnp.inf if dtmax is None else dtmax)
    else:
        p, i, d = PID if options is None else options.pid
        controller = diffrax.PIDController(
            rtol=0.0,
            atol=1.0,
            norm=abs,
            dtmin=dtmin,
            dtmax=dtmax,
            force_dtmin=False,
            pcoeff=p,
            icoeff=i,
            dcoeff=d,
        )
    return controller if options is None else EqualSteps(options.steps, t_end, controller)
