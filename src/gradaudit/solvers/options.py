"""How a solve is made, in one object that is passed whole from the call to the step.

What is compiled into a program are its `StaticOptions`; its `TracedOptions` are numbers, with which
a compiled program is called. This module imports no JAX.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Observe = Literal["step", "clip", "interpolant"]
Stepping = Literal["diffrax", "sciml"]
Precision = Literal["float64", "float32"]
Estimate = bool | Literal["probe"]

OBSERVE: tuple[Observe, ...] = ("step", "clip", "interpolant")

MAX_STEPS = 500_000

PID = (0.0, 1.0, 0.0)
"""The coefficients that diffrax has by default: an integral controller."""


class TracedOptions(NamedTuple):
    """The numbers among the options of a solve: Python's, or traced in a program.

    Attributes
    ----------
    rtol, atol
        Tolerances of the step controller.
    steps
        Number of equal steps in place of error control; 0 for error control.
    root_tolerance
        Tolerances of an implicit solver's root finder, over those of the step controller.
    pid
        Proportional, integral and derivative coefficient of diffrax's controller.
    dtmax
        No step is longer.
    """

    rtol: Any
    atol: Any
    steps: Any = 0.0
    root_tolerance: Any = 1.0
    pid: Any = PID
    dtmax: Any = math.inf

    @property
    def of_root_finder(self) -> dict[str, Any]:
        """The tolerances `rtol` and `atol` of the root finder."""
        return {
            "rtol": self.root_tolerance * self.rtol,
            "atol": self.root_tolerance * self.atol,
        }


@dataclass(frozen=True, kw_only=True)
class StaticOptions:
    """The options of a solve that are compiled into its program; they hash.

    Attributes
    ----------
    solver
        A name of `gradaudit.solvers.registry.SOLVERS`.
    observe
        "step": an observation is reached by a step of the method from the grid point before it,
        and the grid is that of the states. "clip": the steps of the grid end at the observation
        times. "interpolant": the method's dense output.
    max_steps
        A solve that needs more ends with the status "max_steps".
    stepping
        "diffrax" or "sciml", see `gradaudit.solvers.step_control.scalar_controller`.
    dtype
        "float64" or "float32", of states, tangents, time and everything else; what comes back is
        float64 in any case.
    estimate
        Carry estimates of the global errors along, see `gradaudit.solvers.global_error`; "probe":
        those of the tangents along one direction only, and none of events.
    augmented
        Integrate the sensitivity equations as one large system with diffrax's solver as it is,
        instead of lifting the solver; there is no indicator then.
    saltation
        Stop at every event where the vector field switches, with the derivative of the event's time
        in the tangents.
    """

    solver: str = "tsit5"
    observe: Observe = "step"
    max_steps: int = MAX_STEPS
    stepping: Stepping = "diffrax"
    dtype: Precision = "float64"
    estimate: Estimate = False
    augmented: bool = False
    saltation: bool = False


@dataclass(frozen=True, kw_only=True)
class SolveOptions:
    """All options of a solve, see `StaticOptions` and `TracedOptions`.

    Attributes
    ----------
    steps
        Number of equal steps in place of error control; None for error control.
    dtmax
        No step is longer; None for no limit.
    """

    rtol: float
    atol: float
    solver: str = "tsit5"
    observe: Observe = "step"
    max_steps: int = MAX_STEPS
    stepping: Stepping = "diffrax"
    dtype: Precision = "float64"
    estimate: Estimate = False
    steps: int | None = None
    root_tolerance: float = 1.0
    pid: tuple[float, float, float] = PID
    dtmax: float | None = None

    @property
    def static(self) -> StaticOptions:
        """What is compiled into a program."""
        return StaticOptions(
            solver=self.solver,
            observe=self.observe,
            max_steps=self.max_steps,
            stepping=self.stepping,
            dtype=self.dtype,
            estimate=self.estimate,
        )

    @property
    def traced(self) -> TracedOptions:
        """What a program is called with."""
        return TracedOptions(
            rtol=self.rtol,
            atol=self.atol,
            steps=float(self.steps or 0),
            root_tolerance=self.root_tolerance,
            pid=self.pid,
            dtmax=math.inf if self.dtmax is None else float(self.dtmax),
        )
