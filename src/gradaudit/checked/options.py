"""Which of diffrax's options `gradaudit.diffeqsolve` takes; all others raise, in a sentence."""

from __future__ import annotations

from typing import Any

import diffrax
import jax
import numpy as np

from gradaudit.errors import SettingError

INSTEAD = "use diffrax.diffeqsolve(..., adjoint=diffrax.ForwardMode()), without controlled tangents"
OWN_NORM = diffrax.PIDController(rtol=1.0, atol=1.0).norm


def check_options(terms: Any, saveat: Any, controller: Any, options: dict[str, Any]) -> None:
    """A look at what was passed.

    Raises
    ------
    SettingError
        If it is not supported.
    """
    if not isinstance(terms, diffrax.ODETerm):
        raise SettingError(f"terms has to be one diffrax.ODETerm, not {type(terms).__name__}.")
    if not isinstance(options.pop("adjoint", None), diffrax.ForwardMode | None):
        raise SettingError(
            "this solve is differentiable in forward mode only and takes no other adjoint; for "
            "reverse mode use diffrax.diffeqsolve."
        )
    for name, value in options.items():
        if value is not None:
            raise SettingError(f"{name} is not supported here; {INSTEAD}.")
    _check_saveat(saveat)
    inner = controller
    if isinstance(controller, diffrax.ClipStepSizeController):
        inner = controller.controller
    if not isinstance(inner, diffrax.PIDController):
        raise SettingError(
            "stepsize_controller has to be a diffrax.PIDController, or one in a "
            f"ClipStepSizeController: tangents are controlled by its tolerances. With a "
            f"{type(inner).__name__}, {INSTEAD}."
        )
    if inner.norm is not OWN_NORM:
        raise SettingError(
            "a norm of your own is not supported: steps are controlled by the largest of diffrax's "
            "norm of the states and that of each direction's tangents."
        )


def check_times(ts: Any, t0: Any, t1: Any) -> None:
    """That observation times run as the solve does, where their numbers are known.

    Raises
    ------
    SettingError
        If they do not; diffrax would return numbers that mean nothing.
    """
    if ts is None or any(isinstance(x, jax.core.Tracer) for x in (ts, t0, t1)):
        return
    steps = np.diff(np.asarray(ts))
    back = np.asarray(t1) < np.asarray(t0)
    wrong = steps > 0 if back else steps < 0
    if np.any(wrong):
        k = int(np.argmax(wrong))
        raise SettingError(
            f"SaveAt(ts=...) has to {'decrease' if back else 'increase'} as the solve does; "
            f"{float(ts[k + 1]):g} comes after {float(ts[k]):g}. Sort the times."
        )


def _check_saveat(saveat: Any) -> None:
    what = saveat.subs
    if what is not None and not isinstance(what, diffrax.SubSaveAt):
        raise SettingError(f"SaveAt(subs=...) is not supported here; {INSTEAD}.")
    kept = ("dense", "solver_state", "controller_state", "made_jump")
    wrong = [name for name in kept if getattr(saveat, name)]
    if what is None and not wrong:
        raise SettingError("SaveAt() saves nothing; give it t1=True, t0=True or ts.")
    if what is not None and what.steps:
        wrong.append("steps")
    if what is not None and what.fn is not diffrax.SubSaveAt(t1=True).fn:
        wrong.append("fn")
    if wrong:
        raise SettingError(
            f"SaveAt({wrong[0]}=...) is not supported here: t0, t1 and ts are; {INSTEAD}."
        )
