"""What the step controllers here inherit: diffrax's long lists of arguments, gathered once."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple, Self, TypeAlias

import diffrax
import equinox as eqx

from gradaudit.backend.shapes import Scalar, ScalarLike

StepDecision: TypeAlias = tuple[Any, ScalarLike, Scalar, bool | Any, Any, Any]
"""Keep the step; the next one's ends; whether it begins at a jump; state; diffrax's result."""


class Start(NamedTuple):
    """The arguments of diffrax's ``init``, in its order."""

    terms: Any
    t0: Any
    t1: Any
    y0: Any
    dt0: Any
    args: Any
    func: Any
    error_order: Any


class Attempt(NamedTuple):
    """The arguments of diffrax's ``adapt_step_size``, in its order: a step that was made."""

    t0: Any
    t1: Any
    y0: Any
    y1_candidate: Any
    args: Any
    y_error: Any
    error_order: Any
    controller_state: Any


class Controller(diffrax.AbstractAdaptiveStepSizeController):
    """A controller that is shown a scaled error, and so has no tolerances and no norm of its own.

    A subclass says how a solve begins and what follows an attempt; what it hands on to another
    controller are ``*start`` and ``*attempt``.
    """

    rtol: Any = eqx.field(default=0.0, kw_only=True)
    atol: Any = eqx.field(default=1.0, kw_only=True)
    norm: Any = eqx.field(static=True, default=abs, kw_only=True)

    @abstractmethod
    def begin(self, start: Start) -> tuple[Scalar, Any]:
        """The end of the first step, and the controller's state."""

    @abstractmethod
    def decide(self, attempt: Attempt) -> StepDecision:
        """Whether the step is kept, and the next one."""

    def wrap(self, direction: Any) -> Self:
        return self

    def init(
        self,
        terms: Any,
        t0: ScalarLike,
        t1: ScalarLike,
        y0: Any,
        dt0: ScalarLike | None,
        args: Any,
        func: Any,
        error_order: Any,
    ) -> tuple[Scalar, Any]:
        return self.begin(Start(terms, t0, t1, y0, dt0, args, func, error_order))

    def adapt_step_size(
        self,
        t0: ScalarLike,
        t1: ScalarLike,
        y0: Any,
        y1_candidate: Any,
        args: Any,
        y_error: Any,
        error_order: Any,
        controller_state: Any,
    ) -> StepDecision:
        return self.decide(
            Attempt(t0, t1, y0, y1_candidate, args, y_error, error_order, controller_state)
        )
