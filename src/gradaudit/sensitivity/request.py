"""What a method is run with, and the checks of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gradaudit.errors import SettingError
from gradaudit.model.definition import Model
from gradaudit.records.results import Array
from gradaudit.sensitivity.method import Method
from gradaudit.solvers.options import PID, SolveOptions
from gradaudit.solvers.registry import get_solver


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a method is run with; `times` (T,) have been checked."""

    model: Model
    times: Array
    options: SolveOptions
    fd_step: float | None = None


def check_options(request: Request, method: Method) -> None:
    """Raise a SettingError where an option is invalid, or none for this method or solver."""
    options = request.options
    for name in method.without:
        given = request if name == "fd_step" else options
        if getattr(given, name) != getattr(type(given), name):
            raise SettingError(f"method {method.name!r} has no {name}; leave it out.")
    if options.steps is None:
        if not get_solver(options.solver).adaptive and not method.own_solver:
            raise SettingError(
                f"solver {options.solver!r} has no error estimate; say how many equal steps it is "
                "to take, for example steps=1000."
            )
    elif not isinstance(options.steps, (int, np.integer)) or options.steps < 1:
        raise SettingError(f"steps is {options.steps!r}; it is a positive number of equal steps.")
    if options.dtmax is not None:
        number = isinstance(options.dtmax, (int, float, np.integer, np.floating))
        if not (number and 0.0 < options.dtmax < math.inf):
            raise SettingError(
                f"dtmax is {options.dtmax!r}; the longest step is a positive number, in units of t."
            )
        if options.steps is not None:
            raise SettingError("dtmax limits steps that an error chooses; leave it out with steps.")
    if options.dtype not in ("float64", "float32"):
        raise SettingError(f"dtype is {options.dtype!r}; choose from float64, float32.")
    if not isinstance(options.max_steps, (int, np.integer)) or options.max_steps < 1:
        raise SettingError(f"max_steps is {options.max_steps!r}; it is a positive whole number.")
    if options.estimate not in (False, True, "probe"):
        raise SettingError(f'estimate is {options.estimate!r}; choose from False, True, "probe".')
    if options.estimate == "probe" and request.model.jumps:
        raise SettingError(
            f'the state of {request.model.name!r} jumps, and estimate="probe" knows nothing of '
            "jumps; take estimate=True."
        )
    tolerance("root_tolerance", options.root_tolerance, below=math.inf)
    if request.fd_step is not None:
        tolerance("fd_step", request.fd_step, below=1.0)
    if len(options.pid) != 3 or not all(math.isfinite(c) for c in options.pid):
        raise SettingError(f"pid is {options.pid!r}; give three numbers, by default {PID}.")


def no_solver_of_its_own(method: Method) -> None:
    """Raise a SettingError where there is no solver to choose."""
    if method.own_solver:
        raise SettingError(
            f'method {method.name!r} has a solver of its own, so that solver="auto" has nothing to '
            "choose; leave it out."
        )


def tolerance(name: str, value: object, *, below: float) -> float:
    """`value` as a float, after a check that it is positive, below the bound, and in reach.

    Raises
    ------
    SettingError
        If it is not.
    """
    if isinstance(value, (int, float, np.integer, np.floating)) and 0.0 < value < below:
        if name == "rtol" and value < np.finfo(np.float64).eps:
            raise SettingError(
                f"rtol is {value!r}, finer than float64 resolves (2.2e-16); take one of 1e-13 or "
                "more, for example 1e-6."
            )
        return float(value)
    raise SettingError(
        f"{name} is {value!r}; a tolerance is a positive number, rtol is below 1, for example 1e-6."
    )
