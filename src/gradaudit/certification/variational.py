"""The variational system in heyoka: states, integrals and all their sensitivities in one solve."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.heyoka.precision import Precision, to_float64
from gradaudit.certification.heyoka.translate import System, heyoka_system, initial_expressions
from gradaudit.certification.step_inspection import Inspector
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import integrand_names
from gradaudit.model.start_events import start_events
from gradaudit.records.results import EventRecord

Progress = Callable[[float, str], None]
Array = NDArray[Any]
Start = Callable[[Model], tuple[Array, Array]]

MAX_STEPS = 20_000_000
SMALLEST_STEP = 1e-18  # of the window; a step below it is no progress
PROGRESS_EVERY = 0.5  # s
PROGRESS_AFTER = 2.0  # s


@dataclass(frozen=True, kw_only=True)
class Variational:
    """A compiled variational system; `solve` runs it.

    Attributes
    ----------
    integrator
        heyoka's.
    start
        From `starting`.
    initial
        The whole initial state of the integrator, in the precision.
    rows
        Where the sensitivities of every state and integral are in it, (n + k) slices.
    n, k, m
        Numbers of states, integrals and parameters.
    """

    integrator: Any
    start: Start
    initial: Array
    rows: tuple[slice, ...]
    n: int
    k: int
    m: int
    t_end: float
    precision: Precision
    tolerance: float
    build_seconds: float

    def with_numbers(self, model: Model) -> Variational:
        """For a model that differs in parameters, start and window, with the same integrator.

        It takes the integrator from this one, which must not be solved any more.
        """
        values, derivatives = self.start(model)
        initial = self.initial.copy()
        initial[: self.n] = values
        for row, slopes in zip(self.rows, derivatives, strict=False):
            initial[row] = slopes
        # parameters that the vector field does not have are unknown to heyoka
        known = min(self.m, len(self.integrator.pars))
        self.integrator.pars[:known] = self.precision.array(model.nominal)[:known]
        return replace(self, initial=initial, t_end=model.t_end, build_seconds=0.0)


@dataclass(frozen=True, kw_only=True)
class Solution:
    """One solve, in its own precision; rows that were not reached are NaN.

    Attributes
    ----------
    values
        States, then integrals, (T, n + k).
    derivatives
        Their derivatives with respect to the parameters, (T, n + k, m).
    status
        "ok", "non_finite", "step_underflow", "max_steps", "time_limit"; and of models with events
        "simultaneous_events", "grazing", "sliding", "lost_event" or "max_events".
    step_starts, step_sizes
        The grid in float64, (steps,), where it was asked for.
    event_records
        The events that happened, in order.
    reason
        More words on the status, where there are any.
    one_sided
        Which of `derivatives` are one-sided, None where no event happens at an observation.
    one_sided_causes
        What makes them so, and when.
    sizes
        The largest sizes of values (N,) and derivatives (N, m) on the way, between the times too;
        None where the method does not see them.
    last
        The last time that was reached, and the states there, (n,); None where it is not known.
    row_modes
        In which mode of the vector field each row was observed, (T,), where there are modes.
    probes
        Of each stretch in one mode a time within it, the values there (N,), and the mode.
    """

    times: NDArray[np.float64]
    values: Array
    derivatives: Array
    status: str
    steps: int
    run_seconds: float
    build_seconds: float
    precision: Precision
    tolerance: float
    step_starts: NDArray[np.float64]
    step_sizes: NDArray[np.float64]
    event_records: tuple[EventRecord, ...] = ()
    reason: str = ""
    one_sided: NDArray[np.bool_] | None = None
    one_sided_causes: tuple[tuple[str, float, NDArray[np.bool_]], ...] = ()
    sizes: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    last: tuple[float, NDArray[np.float64]] | None = None
    row_modes: tuple[Any, ...] = ()
    probes: tuple[tuple[float, NDArray[np.float64], Any], ...] = ()

    def float64(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Values and derivatives rounded to float64."""
        return to_float64(self.values), to_float64(self.derivatives)


def build(model: Model, *, precision: Precision, tolerance: float) -> Variational:
    """Translate, differentiate and compile.

    Raises
    ------
    TranslationError
        If the vector field has something that the Taylor method cannot follow.
    """
    start = time.perf_counter()
    system = heyoka_system(model, precision)
    return assemble(model, system, precision=precision, tolerance=tolerance, start=start)


def assemble(
    model: Model,
    equations: System,
    *,
    precision: Precision,
    tolerance: float,
    start: float | None = None,
    t_events: Sequence[Any] = (),
    nt_events: Sequence[Any] = (),
) -> Variational:
    """Differentiate and compile a translated system, with heyoka's events if there are any."""
    start = time.perf_counter() if start is None else start
    parameters = [hy.par[index] for index in range(model.m)]
    system = hy.var_ode_sys(equations, parameters)
    n, k = model.n, len(integrand_names(model))
    start_of = starting(model, precision)
    values, zeros = start_of(model)[0], precision.array(np.zeros(k))
    events: dict[str, Any] = {"t_events": list(t_events)} if t_events else {}
    if nt_events:
        events["nt_events"] = list(nt_events)
    integrator = hy.taylor_adaptive(
        system,
        np.concatenate([values, zeros]),
        tol=precision.number(tolerance),
        compact_mode=True,
        **precision.options,
        **events,
    )
    built = Variational(
        integrator=integrator,
        start=start_of,
        initial=integrator.state.copy(),
        rows=tuple(integrator.get_vslice(order=1, component=i) for i in range(n + k)),
        n=n,
        k=k,
        m=model.m,
        t_end=model.t_end,
        precision=precision,
        tolerance=tolerance,
        build_seconds=0.0,
    ).with_numbers(model)
    return replace(built, build_seconds=time.perf_counter() - start)


def initial_values(model: Model, precision: Precision) -> tuple[Array, Array]:
    """y0 and dy0/dp in the precision, (n,) and (n, m)."""
    return starting(model, precision)(model)


def starting(model: Model, precision: Precision) -> Start:
    """What gives `initial_values` of the model, and of those that differ from it in numbers."""
    n, m = model.n, model.m
    if model.initial_state is None and not start_events(model):
        return lambda own: (precision.array(own.declared_state), precision.array(np.zeros((n, m))))
    entries = initial_expressions(model, precision)
    variables = [hy.expression(f"p{index}") for index in range(m)]
    slopes = [hy.diff(entry, variable) for entry in entries for variable in variables]
    evaluate = hy.cfunc([*entries, *slopes], variables, **precision.options)

    def start(own: Model) -> tuple[Array, Array]:
        result = evaluate(precision.array(own.nominal))
        return result[:n], result[n:].reshape(n, m)

    return start


class Watch:
    """Called by heyoka after every step: keeps the grid, and stops what would take forever."""

    def __init__(
        self,
        t_end: float,
        *,
        deadline: float,
        max_steps: int,
        keep_grid: bool,
        progress: Progress | None,
        text: str,
        inspector: Inspector | None = None,
    ) -> None:
        self.inspector = inspector
        self.t_end, self.deadline, self.max_steps = t_end, deadline, max_steps
        self.progress, self.text = progress, text
        self.starts, self.sizes = array("d"), array("d")
        self.steps = 0
        self.keep_grid = keep_grid
        self.status = "ok"
        self.next_word = time.perf_counter() + PROGRESS_AFTER

    def __call__(self, integrator: Any) -> bool:
        if self.inspector is not None:
            self.inspector.look(integrator)
        return self.note(float(integrator.time), float(integrator.last_h))

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return time.perf_counter() > self.deadline

    def note(self, reached: float, size: float) -> bool:
        """Note a step that ends at `reached`; whether to go on."""
        now = time.perf_counter()
        self.steps += 1
        if self.keep_grid:
            self.starts.append(reached - size)
            self.sizes.append(size)
        if now > self.deadline:
            self.status = "time_limit"
        elif self.steps >= self.max_steps:
            self.status = "max_steps"
        elif (
            abs(size) < SMALLEST_STEP * self.t_end
            and abs(size) < 1e-3 * reached  # while steps grow with t there is progress
            and reached < (1 - 1e-12) * self.t_end
        ):
            self.status = "step_underflow"
        if self.progress is not None and now > self.next_word:
            self.next_word = now + PROGRESS_EVERY
            self.progress(min(reached / self.t_end, 1.0), self.text)
        return self.status == "ok"


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to solve, with events or without.

    Attributes
    ----------
    max_step
        Longest step, in the unit of t.
    first_step
        Bound of the first step alone: another value gives another grid, and other rounding.
    keep_grid
        Return the steps; a stiff problem takes millions.
    time_limit
        Seconds of wall time.
    inspector
        Shown every step.
    departure
        A time after 0 and before the first observation that is not at 0, and the whole state there.
    """

    max_step: float | None = None
    first_step: float | None = None
    max_steps: int = MAX_STEPS
    keep_grid: bool = False
    time_limit: float | None = None
    progress: Progress | None = None
    inspector: Inspector | None = None
    departure: tuple[float, Array] | None = None

    def watch(self, t_end: float, precision: Precision, tolerance: float) -> Watch:
        """What counts the steps of one solve, which begins now, and may end it."""
        limit = np.inf if self.time_limit is None else self.time_limit
        return Watch(
            t_end,
            deadline=time.perf_counter() + limit,
            max_steps=self.max_steps,
            keep_grid=self.keep_grid,
            progress=self.progress,
            text=f"{precision.name}, tolerance {tolerance:.1e}",
            inspector=self.inspector,
        )


def solve(system: Variational, times: NDArray[np.float64], options: Options) -> Solution:
    """Solve on `times`, increasing and within [0, t_end]; a failure is a status."""
    ta, precision = system.integrator, system.precision
    started = time.perf_counter()
    begun, state = options.departure or (0.0, system.initial)
    ta.time, ta.state[:] = precision.number(begun), state
    watch = options.watch(system.t_end, precision, system.tolerance)
    size = len(system.initial)
    table: Array = np.full(
        (len(times), size), precision.number(float("nan")), dtype=precision.fp_type
    )
    at_start = int(times[0] == 0.0)
    if at_start:
        table[0] = system.initial
    later = times[at_start:]
    outcome = hy.taylor_outcome.time_limit
    if len(later):
        limits = (
            {} if options.max_step is None else {"max_delta_t": precision.number(options.max_step)}
        )
        if options.first_step is not None:
            outcome, _ = ta.step(precision.number(min(options.first_step, 0.5 * float(later[0]))))
        if outcome != hy.taylor_outcome.err_nf_state:
            grid = precision.array(np.concatenate([[float(ta.time)], later]))
            grid[0] = ta.time
            outcome, *_, reached = ta.propagate_grid(grid, callback=watch, **limits)
            rows = reached[1:]
            table[at_start : at_start + len(rows)] = rows
    elapsed = time.perf_counter() - started
    status = watch.status
    if outcome == hy.taylor_outcome.err_nf_state:
        status = "non_finite"
    count = system.n + system.k
    return Solution(
        times=times,
        values=table[:, :count],
        derivatives=np.stack([table[:, row] for row in system.rows], axis=1),
        status=status,
        steps=watch.steps,
        run_seconds=elapsed,
        build_seconds=system.build_seconds,
        last=(float(ta.time), to_float64(ta.state[: system.n])),
        precision=precision,
        tolerance=system.tolerance,
        step_starts=np.array(watch.starts),
        step_sizes=np.array(watch.sizes),
    )
