"""What a method is run with, and the checks of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gradaudit.errors import SettingError
from gradaudit.model.definition import Model
from gradaudit.records.results import Array
from gradaudit.sensitivity.method import Method
from gradaudit.solvers.error_norm import PID, Control
from gradaudit.solvers.registry import get_solver


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a method is run with; `times` (T,) have been checked."""

    model: Model
    solver: str
    rtol: float
    atol: float
    times: Array
    observe: str
    max_steps: int
    stepping: str = "diffrax"
    steps: int | None = None
    root_tolerance: float = 1.0
    pid: tuple[float, float, float] = PID
    dtype: str = "float64"
    fd_step: float | None = None
    estimate: bool | str = False

    def axes_of(self, control: Control) -> Control:
        """`control` with the number of steps, root finder and coefficients of this setting."""
        return control._replace(
            steps=float(self.steps or 0), root_tolerance=self.root_tolerance, pid=self.pid
        )


def check_axes(setting: Setting, method: Method) -> None:
    """Raise a SettingError where an axis makes no sense, or none for this method or solver."""
    for name in method.without:
        if getattr(setting, name) != getattr(Setting, name):
            raise SettingError(f"method {method.name!r} has no {name}; leave it out.")
    if setting.steps is None:
        if not get_solver(setting.solver).adaptive and not method.own_solver:
            raise SettingError(
                f"solver {setting.solver!r} has no error estimate; say how many equal steps it is "
                "to take, for example steps=1000."
            )
    elif not isinstance(setting.steps, (int, np.integer)) or setting.steps < 1:
        raise SettingError(f"steps is {setting.steps!r}; it is a positive number of equal steps.")
    if setting.dtype not in ("float64", "float32"):
        raise SettingError(f"dtype is {setting.dtype!r}; choose from float64, float32.")
    if not isinstance(setting.max_steps, (int, np.integer)) or setting.max_steps < 1:
        raise SettingError(f"max_steps is {setting.max_steps!r}; it is a positive whole number.")
    if setting.estimate not in (False, True, "probe"):
        raise SettingError(f'estimate is {setting.estimate!r}; choose from False, True, "probe".')
    if setting.estimate == "probe" and any(e.jump for e in setting.model.events.values()):
        raise SettingError(
            f'the state of {setting.model.name!r} jumps, and estimate="probe" knows nothing of '
            "jumps; take estimate=True."
        )
    tolerance("root_tolerance", setting.root_tolerance, below=math.inf)
    if setting.fd_step is not None:
        tolerance("fd_step", setting.fd_step, below=1.0)
    if len(setting.pid) != 3 or not all(math.isfinite(c) for c in setting.pid):
        raise SettingError(f"pid is {setting.pid!r}; give three numbers, by default {PID}.")


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
