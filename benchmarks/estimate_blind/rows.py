"""Rows of one model at one parameter point: true errors and estimates of its gradients."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from functionals import functionals  # isort: skip

TOLERANCES = tuple(10.0**-k for k in range(3, 9))
DIGITS = 11.0
REFERENCE_SECONDS = 20.0
SECONDS = 30.0  # for the solves of a model by one solver, after which the others are cut
MAX_STEPS = {False: 60_000, True: 6_000}  # explicit, implicit
SAMPLES = 4


def rows_of(model: Any, solvers: tuple[str, ...], *, both: bool = True) -> Iterator[dict[str, Any]]:
    """One row per solver, control, tolerance and functional, or one that says why there is none.

    Controls are forward AD, unless not `both`, and control of the tangents, which with events has
    the saltation terms.

    Errors and estimates are relative, of gradients p_j dJ/dp_j: |g_h - g| / |g|, and the distance
    to the second solve over the norm of its gradient. `resolution` is the error of g itself: what
    changes of the size that the certified digits leave open make of it, the largest of `SAMPLES`.
    """
    import gradaudit
    from gradaudit.model.stiffness import fast_times

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exact = gradaudit.reference(model, digits=DIGITS, time_limit=REFERENCE_SECONDS)
    digits = float(min(exact.digits, exact.integral_digits, exact.state_digits))
    if not digits > 3.0:
        yield {"status": f"no reference: {exact.status}"[:200]}
        return
    truth = _observations(exact, model)
    known = functionals(exact.times, truth.z[0], truth.sensitivities, model.n)
    if not np.any(truth.sensitivities[:, : model.n]):
        yield {"status": "nothing acts"}
        return
    shared = {
        "n": model.n,
        "m": model.m,
        "digits": digits,
        "jumps": bool(model.jumps),
        "events": len(exact.events),
        "fast_times": fast_times(model, exact.times, exact.states),
        "smallest": _smallest(truth.z[0][:, : model.n]),
    }
    for solver in solvers:
        yield from _by_solver(model, solver, truth, known, shared, both)


def _by_solver(
    model: Any, solver: str, truth: Any, known: Any, shared: dict[str, Any], both: bool
) -> Iterator[dict[str, Any]]:
    import gradaudit
    from gradaudit.analysis.calibration.stepping import limit_of
    from gradaudit.model.switching import switches
    from gradaudit.solvers.registry import get_solver

    digits = shared["digits"]
    implicit = bool(get_solver(solver).implicit)
    hybrid = bool(model.jumps or (model.events and switches(model)))
    begin, compiling = time.perf_counter(), 0.0
    controlled = "saltation" if hybrid else "forward_sensitivity"
    for method in ("forward_ad", controlled) if both else (controlled,):
        for rtol in TOLERANCES:
            setting = {
                "solver": solver, "implicit": implicit, "control": method, "rtol": rtol,
                "hybrid": hybrid, **shared,
            }  # fmt: skip
            if time.perf_counter() - begin - compiling > SECONDS:
                yield {**setting, "status": "cut"}
                continue
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                found = gradaudit.sensitivities(
                    model, solver=solver, method=method, rtol=rtol, estimate=True,
                    max_steps=MAX_STEPS[implicit],
                )  # fmt: skip
            compiling += found.stats.get("compile_seconds", 0.0)
            setting |= {
                "status": found.status,
                "steps": found.stats["steps"],
                "accepted": found.stats["accepted"],
                "seconds": found.stats["seconds"],
                "indicator": found.indicator,
                **{k: found.indicators.get(k, np.nan) for k in ("neglected", "faint")},
                "one_sided": len(found.one_sided),
                "warned": len({str(w.message)[:60] for w in caught}),
                "events_found": len(found.events),
            }
            if found.status != "ok" or found.estimates is None:
                yield setting
                continue
            fast = shared["fast_times"] / max(setting["accepted"], 1.0)
            crosses = setting["neglected"] > 0.0
            limit = int(limit_of(implicit, hybrid and method == "saltation", crosses, fast))
            for functional in known:
                yield {**setting, **_judged(functional, found, model, truth, digits, limit)}


def _judged(
    functional: Any, found: Any, model: Any, truth: Any, digits: float, limit: int
) -> dict[str, Any]:
    from gradaudit.checked.calibration import calibrated
    from gradaudit.evaluation.gradient_error import estimated_change, gradient_error, norm, ratio
    from gradaudit.evaluation.indicators.estimated_error import value

    computed = _observations(found, model)
    error = gradient_error(functional, computed, truth)
    d = found.estimates.states
    D = found.estimates.sensitivities * model.parameter_scale
    change, gradient = estimated_change(functional, computed, (d, D))
    tangent_change, _ = estimated_change(functional, computed, (np.zeros_like(d), D))
    phi = functional.weights(computed.z[0])
    terms = phi[..., None] * computed.sensitivities
    raw = value(change, gradient)
    likely = calibrated(raw, True, limit)
    size = norm(error.reference)
    return {
        "functional": functional.name,
        "error": error.relative,
        "cosine": error.cosine,
        "state_part": ratio(norm(error.state_part), size),
        "tangent_part": ratio(norm(error.tangent_part), size),
        "resolution": _resolution(functional, truth, error.reference, digits),
        "reference_norm": size,
        "natural_scale": error.natural_scale,
        "computed_scale": error.computed_scale,
        "cancellation": ratio(norm(gradient), norm(np.abs(terms).sum(axis=(0, 1)))),
        "cancellation_rms": ratio(norm(gradient), float(np.sqrt(np.sum(terms**2)))),
        "raw": raw,
        "raw_tangents": value(tangent_change, gradient),
        "estimate": float(likely.median),
        "low": float(likely.low),
        "high": float(likely.high),
    }


def _observations(solution: Any, model: Any) -> Any:
    """States and integrals with their sensitivities, in scaled parameters."""
    from gradaudit.evaluation.gradient_error import Observations

    slopes = np.concatenate([solution.sensitivities, solution.integral_sensitivities], axis=1)
    return Observations.single(
        np.concatenate([solution.states, solution.integrals], axis=1),
        slopes * model.parameter_scale,
    )


def _resolution(functional: Any, truth: Any, reference: Any, digits: float) -> float:
    """Relative error of a certified gradient that its digits leave open."""
    open_ = 10.0**-digits
    from gradaudit.evaluation.gradient_error import norm, ratio

    z, s = truth.z[0], truth.sensitivities
    draw = np.random.default_rng(0)
    worst = 0.0
    for _ in range(SAMPLES):
        dz = draw.choice([-1.0, 1.0], size=z.shape) * np.max(np.abs(z), axis=0)
        ds = draw.choice([-1.0, 1.0], size=s.shape) * np.max(np.abs(s), axis=0)
        moved = np.einsum("tn,tnj->j", functional.weights(z + open_ * dz), s + open_ * ds)
        worst = max(worst, norm(moved - reference))
    return ratio(worst, norm(reference))


def _smallest(states: Any) -> float:
    """The largest value over the window of the state for which that is least; 0 is no state."""
    sizes = np.max(np.abs(states), axis=0)
    return float(np.min(sizes[sizes > 0], initial=np.inf))
