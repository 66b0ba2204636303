"""The published experiment: a gradient whose true value is 0, computed in four ways.

A nominal trace comes from a solver, at its own time points. The loss is the sum of squares over
all states and those points of (solution at p) - (nominal trace). At the nominal p the gradient is
0, if the trace stands for exact data. Four variants:

dual_norm
    Dual numbers: the partials take part in the step control, so that the steps, and with them the
    states, differ from those of the nominal trace.
same_grid
    Forward AD on the very steps of the nominal trace: the residual vanishes and the gradient looks
    right, whatever the tangents are worth. An inverse crime.
full_control
    States and scaled sensitivities in the error test.
coarse_target
    Full control, against the trace of the loosest tolerance: the gradient converges, but to the
    gradient of another problem, and not to 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradaudit.certification import reference
from gradaudit.errors import SettingError
from gradaudit.evaluation.functional import Context, Functional
from gradaudit.evaluation.gradient_error import GradientError, Observations, gradient_error
from gradaudit.evaluation.sum_of_squares import sum_of_squares
from gradaudit.model.definition import Model
from gradaudit.pipeline.supervised import solve_within
from gradaudit.records.results import Array, Sensitivities
from gradaudit.sensitivity.assemble import failed
from gradaudit.sensitivity.methods import get_method
from gradaudit.sensitivity.nominal_solve import Trace, primal
from gradaudit.sensitivity.request import Request
from gradaudit.sensitivity.solve_status import TIME_LIMIT
from gradaudit.solvers.options import SolveOptions, StaticOptions, TracedOptions

VARIANTS = {
    "dual_norm": "dual_norm",
    "same_grid": "forward_ad",
    "full_control": "forward_sensitivity",
    "coarse_target": "forward_sensitivity",
}
OWN_STEPS = 1 << 16


@dataclass(frozen=True, kw_only=True)
class ExperimentRun:
    """One variant at one tolerance: the solve, its residuals (T, n) and its gradient's error."""

    variant: str
    rtol: float
    atol: float
    solve: Sensitivities
    residuals: Array
    error: GradientError
    tangent_error: float


@dataclass(frozen=True, kw_only=True)
class Certified:
    """Certified states (T, n) and sensitivities (T, n, m) at all time points, sorted."""

    times: Array
    states: Array
    sensitivities: Array
    digits: float

    def at(self, times: Array) -> tuple[Array, Array]:
        """States and sensitivities at `times`, all of which are in the union."""
        rows = np.searchsorted(self.times, times)
        return self.states[rows], self.sensitivities[rows]


def nominal_traces(model: Model, settings: dict[str, Any]) -> list[Trace]:
    """The nominal traces at the solver's own time points, loosest tolerance first.

    Raises
    ------
    SettingError
        If one of the solves fails: there is no experiment without its data.
    """
    options = StaticOptions(
        solver=settings["solver"], max_steps=OWN_STEPS, stepping=settings["stepping"]
    )
    solve = primal(model, options, OWN_STEPS)
    traces = []
    for rtol in settings["tolerances"]:
        trace = solve([0.0], TracedOptions(rtol, settings["atol_factor"] * rtol))
        if trace.status != "ok":
            raise SettingError(
                f"experiment on {model.name!r}: the nominal solve with {settings['solver']} at "
                f"rtol {rtol:g} ended with {trace.status!r}; choose other tolerances or a solver."
            )
        traces.append(trace)
    return traces


def certify(model: Model, traces: list[Trace], digits: float) -> Certified:
    """The reference at every time point of every trace."""
    times = np.unique(np.concatenate([trace.times for trace in traces]))
    solved = reference(model, times=times, digits=digits)
    return Certified(
        times=times,
        states=solved.states,
        sensitivities=solved.sensitivities,
        digits=float(solved.digits),
    )


def run_variants(
    model: Model, traces: list[Trace], certified: Certified, settings: dict[str, Any]
) -> list[ExperimentRun]:
    """All variants at all tolerances."""
    outcomes = []
    most = max(len(trace.times) for trace in traces)
    for rtol, trace in zip(settings["tolerances"], traces, strict=True):
        for variant in VARIANTS:
            coarse = variant == "coarse_target"
            target = traces[0] if coarse else trace
            solve = _solve(model, variant, rtol, _padded(target.times, most), settings)
            outcomes.append(_outcome(variant, rtol, solve, target, certified, settings))
    return outcomes


def _padded(times: Array, count: int) -> Array:
    """`times` with the last one repeated, so that one program serves all traces."""
    return np.concatenate([times, np.full(count - len(times), times[-1])])


def _solve(
    model: Model, variant: str, rtol: float, times: Array, settings: dict[str, Any]
) -> Sensitivities:
    request = Request(
        model=model,
        times=times,
        options=SolveOptions(
            solver=settings["solver"],
            rtol=rtol,
            atol=settings["atol_factor"] * rtol,
            observe=settings["observe"],
            max_steps=settings["max_steps"],
            stepping=settings["stepping"],
        ),
    )
    method, limit = get_method(VARIANTS[variant]), settings.get("solve_s", math.inf)
    found = solve_within(limit, (variant, rtol), lambda: method.solve(request))
    return failed(request, TIME_LIMIT) if found is None else found


def _outcome(
    variant: str,
    rtol: float,
    solve: Sensitivities,
    target: Trace,
    certified: Certified,
    settings: dict[str, Any],
) -> ExperimentRun:
    count = len(target.times)
    states, sensitivities = certified.at(target.times)
    # A nominal trace stands for exact data, so there the certified solution is the trace itself.
    exact = states if variant == "coarse_target" else target.states
    chunks = solve.states[None] if solve.chunk_states is None else solve.chunk_states
    chunk_of = np.zeros(sensitivities.shape[-1], int) if solve.chunk_of is None else solve.chunk_of
    computed = Observations(
        z=chunks[:, :count], sensitivities=solve.sensitivities[:count], chunk_of=chunk_of
    )
    error = gradient_error(_loss(target), computed, Observations.single(exact, sensitivities))
    difference = np.linalg.norm(computed.sensitivities - sensitivities, axis=(0, 1))
    return ExperimentRun(
        variant=variant,
        rtol=rtol,
        atol=settings["atol_factor"] * rtol,
        solve=solve,
        residuals=computed.z[0] - target.states,
        error=error,
        tangent_error=float(np.max(difference / np.linalg.norm(sensitivities, axis=(0, 1)))),
    )


def _loss(target: Trace) -> Functional:
    n = target.states.shape[1]
    context = Context(
        times=target.times,
        observations=target.states,
        states=tuple(str(i) for i in range(n)),
        integrals=(),
        observables=(),
        settings={},
    )
    return sum_of_squares(context, "nominal", target.states, np.ptp(target.states, axis=0))
