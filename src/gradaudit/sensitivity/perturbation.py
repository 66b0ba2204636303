"""Sensitivities from perturbed solves: central differences and the complex step."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import diffrax
import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.jax_setup import run_compiled
from gradaudit.backend.program_cache import identity_cache
from gradaudit.backend.shapes import ComplexParameters, Times
from gradaudit.model.definition import Model
from gradaudit.records.results import Array
from gradaudit.sensitivity.programs import program
from gradaudit.sensitivity.request import Request
from gradaudit.sensitivity.solve_status import Raw, status_of
from gradaudit.sensitivity.state_solve import StateSolve, counts_of
from gradaudit.solvers.error_norm import Control
from gradaudit.solvers.options import StaticOptions, TracedOptions

COUNTS = ("steps", "accepted", "rejected")
COMPLEX_STEPS = {"float64": 1e-30, "float32": 1e-15}
"""Over |p_j|: squares are far below rounding, and tangents stay clear of underflow."""


def default_fd_step(dtype: str = "float64") -> float:
    """Cube root of the machine's epsilon.

    There truncation and rounding of a central difference balance, for a function that is computed
    to rounding. An adaptive solve is not: its best step is longer, see the V-curve.
    """
    return float(np.cbrt(np.finfo(dtype).eps))


def finite_difference(request: Request) -> tuple[Raw, float, float]:
    """Central differences of the adaptive solve, which differentiate the step control as well.

    ``request.fd_step`` is the step over |p_j|. Counts are those of all 2 m + 1 solves; the first
    failure among them decides the status. Returned as by `gradaudit.sensitivity.program.Program`,
    tangents being p_j dy/dp_j.
    """
    model = request.model
    options = request.options
    solve = program(model, replace(options.static, estimate=False))
    control = Control(0.0, 0.0, 1.0, model.parameter_scale[:1])
    relative = request.fd_step or default_fd_step(options.dtype)
    number = np.dtype(options.dtype).type

    def run(p: Array | None) -> tuple[Raw, float, float]:
        return solve(request.times, options.traced, control=control, columns=np.arange(1), p=p)

    centre, seconds, compile_seconds = run(None)
    tangents = np.full((*centre.states.shape, model.m), np.nan)
    raws = [centre]
    for j, scale in enumerate(model.parameter_scale):
        sides, places = [], []
        for sign in (1.0, -1.0):
            p = model.nominal
            # As stored, for p + h is rounded and the quotient must have the step that was made.
            p[j] = float(number(p[j] + sign * relative * scale))
            raw, warm, _ = run(p)
            raws.append(raw)
            sides.append(raw.states)
            places.append(p[j])
            seconds += warm
        length = places[0] - places[1]
        if length > 0.0:  # else the step is lost in rounding: not a number
            with np.errstate(invalid="ignore"):  # of solves that failed
                tangents[..., j] = (sides[0] - sides[1]) / length * scale
    return _gathered(centre, raws, tangents), seconds, compile_seconds


def complex_step(request: Request) -> tuple[Raw, float, float]:
    """Im y(p + i h e_j) / h with a tiny h: no cancellation, one complex solve for each parameter.

    Steps are chosen by the real part, and an implicit step is iterated until the real part is good:
    an explicit method gives what forward AD gives, to rounding; an implicit one gives the
    derivative of the iteration, which forward AD replaces by that of its limit.
    """
    model, times = request.model, request.times
    if len(times) == 1:  # see `gradaudit.sensitivity.program.Program`
        times = np.repeat(times, 2)
    solve = complex_program(model, replace(request.options.static, estimate=False))
    step = COMPLEX_STEPS[request.options.dtype]
    raws, columns, seconds, compile_seconds = [], [], 0.0, 0.0
    for j, scale in enumerate(model.parameter_scale):
        p = model.nominal + 0j
        p[j] += 1j * step * scale
        states, counts, warm, compiling = solve(times, p, request.options.traced)
        states = states[: len(request.times)]
        columns.append(states.imag / step)
        raws.append(Raw(states.real, columns[-1], np.nan, *counts))
        seconds, compile_seconds = seconds + warm, compile_seconds + compiling
    return _gathered(raws[0], raws, np.stack(columns, axis=-1)), seconds, compile_seconds


@dataclass(frozen=True)
class ComplexProgram:
    """The compiled solve for complex parameters; see `StateSolve`."""

    solve: StateSolve
    _compiled: dict[int, Any] = field(default_factory=dict, compare=False, repr=False)

    def __call__(
        self, times: Array, p: NDArray[np.complexfloating], traced: TracedOptions
    ) -> tuple[Any, Any, float, float]:
        inputs = (times, p, traced)
        with warnings.catch_warnings():
            # Both warn that their support is not complete; what is used of it is tested here.
            warnings.filterwarnings("ignore", message="Complex .*support in (Diffrax|Optimistix)")
            outputs, seconds, compiling = run_compiled(
                self._compiled, len(times), self._run, inputs, self.solve.options.dtype
            )
        states, *counts = outputs
        return states, counts, seconds, compiling

    def _run(self, times: Times, p: ComplexParameters, traced: TracedOptions) -> tuple[Any, ...]:
        pieces = self.solve.pieces(times, p, traced, scan_kind="lax")
        solution = self.solve.observed(pieces, times, p, diffrax.ForwardMode())
        return solution.ys, *counts_of(solution)


@identity_cache
def complex_program(model: Model, options: StaticOptions) -> ComplexProgram:
    """The program for complex parameters, compiled at most once in a process."""
    return ComplexProgram(StateSolve(model, options))


def _gathered(first: Raw, raws: list[Raw], tangents: np.ndarray) -> Raw:
    """One result from several solves: their counts added up, the first failure's code."""
    failed = next((raw for raw in raws if status_of(raw) != "ok"), first)
    return first._replace(
        tangents=tangents,
        result=failed.result,
        indicator=np.nan,
        event_records=(),
        **{name: sum(int(getattr(raw, name)) for raw in raws) for name in COUNTS},
    )
