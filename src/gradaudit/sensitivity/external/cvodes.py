"""CVODES through casadi: variable-order BDF, the sensitivity equations derived by casadi.

casadi integrates states and tangents p_j dy/dp_j as one system, and its error test is a root mean
square over all of them. Its option ``fsens_err_con`` has no effect: casadi 3.8 reads it nowhere. To
have the tangents out of the test they are integrated times 2^-400, which is exact since their
equations are linear, and at which they weigh nothing; the mean is then over 1 + m times too many
entries, and the tolerances are divided by sqrt(1 + m) to make up for it. Newton's iteration is then
judged by the states alone as well, where CVODES by itself would look at the tangents, too.

Integrals are quadratures and take no part in the error test. Observations are read from the
polynomial of the method, which has its order.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import casadi
import jax
import numpy as np

from gradaudit.errors import SettingError, TranslationError
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state
from gradaudit.records.results import Array, Sensitivities
from gradaudit.sensitivity.external.casadi_translate import casadi_system
from gradaudit.sensitivity.external.result import outcome

if TYPE_CHECKING:
    from gradaudit.sensitivity.request import Request

WEIGHTLESS = 2.0**-400
"""Below every absolute tolerance, and far from underflow."""
SHORTEST = 1e-9  # casadi takes times that are closer for one and the same
_WORDS = {
    "CV_TOO_MUCH_WORK": "max_steps",
    "CV_ERR_FAILURE": "step_underflow",
    "CV_CONV_FAILURE": "root_not_found",
    "CV_FIRST_RHSFUNC_ERR": "non_finite",
    "CV_REPTD_RHSFUNC_ERR": "non_finite",
    "CV_UNREC_RHSFUNC_ERR": "non_finite",
}


def cvodes(request: Request, *, controlled: bool) -> Sensitivities:
    """States and sensitivities, the tangents in the error test or not.

    Raises
    ------
    SettingError
        If observation times are closer than casadi tells apart.
    """
    model, times = request.model, request.times
    if np.any(np.diff(times) < SHORTEST) or 0.0 < times[0] < SHORTEST:
        raise SettingError(
            f"method 'cvodes' takes times less than {SHORTEST:g} apart for one and the same; "
            f"change the observation times or the unit of time of model {model.name!r}."
        )
    begun = time.perf_counter()
    try:
        integrator = _integrator(request, 1.0 if controlled else np.sqrt(1.0 + model.m))
    except TranslationError:
        return outcome(request, states=None, tangents=None, status="not_translatable", stats={})
    weight = 1.0 if controlled else WEIGHTLESS
    start, parameters = _inputs(model, weight)
    built = time.perf_counter()
    try:
        solution = integrator(x0=start, p=parameters)
    except RuntimeError as error:
        status = next((word for code, word in _WORDS.items() if code in str(error)), "failed")
        return outcome(
            request,
            states=None,
            tangents=None,
            status=status,
            stats={"seconds": time.perf_counter() - built},
        )
    seconds = time.perf_counter() - built
    blocks = np.concatenate([_blocks(solution[key], model.m) for key in ("xf", "qf")], axis=1)
    counts = integrator.stats()
    rejected = counts["netfails"] + counts["nncfails"]
    return outcome(
        request,
        states=blocks[..., 0],
        tangents=blocks[..., 1:] / weight,
        status="ok" if counts["nsteps"] <= request.options.max_steps else "max_steps",
        stats={
            "steps": float(counts["nsteps"] + rejected),
            "accepted": float(counts["nsteps"]),
            "rejected": float(rejected),
            "seconds": seconds,
            "compile_seconds": built - begun,
        },
    )


def _integrator(request: Request, divisor: float) -> Any:
    model, system = request.model, casadi_system(request.model)
    return casadi.integrator(
        "integrator",
        "cvodes",
        {
            "t": system.t,
            "x": system.states,
            "p": system.parameters,
            "ode": system.rates[: model.n],
            "quad": system.rates[model.n :],
        },
        0.0,
        [float(t) for t in request.times],
        {
            "nfwd": model.m,
            "reltol": request.options.rtol / divisor,
            "abstol": request.options.atol / divisor,
            "max_num_steps": request.options.max_steps,
            "disable_internal_warnings": True,
            "show_eval_warnings": False,
        },
    )


def _inputs(model: Model, weight: float) -> tuple[Array, Array]:
    """y0 and p, each with its tangents beside it, times `weight`."""
    p = model.nominal
    seeds = np.diag(model.parameter_scale) * weight
    derivative = jax.jacfwd(lambda p: initial_state(model, p))(p)
    start = np.column_stack([initial_state(model, p), np.asarray(derivative) @ seeds])
    return start, np.column_stack([p, seeds])


def _blocks(result: Any, m: int) -> Array:
    """A result of casadi, (N, T (1 + m)), as (T, N, 1 + m)."""
    whole = np.array(result)
    return np.moveaxis(whole.reshape(len(whole), -1, 1 + m), 0, 1)
