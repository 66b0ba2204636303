"""States and sensitivities by the lifted solver: one program for all norms and tolerances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from gradaudit.backend.jax_setup import run_compiled
from gradaudit.backend.jaxpr.branches import FrozenField
from gradaudit.backend.shapes import (
    EventValues,
    Parameters,
    Scalar,
    ScalarLike,
    Seeds,
    States,
    Times,
)
from gradaudit.model.definition import Event, Model
from gradaudit.model.probe_direction import signs
from gradaudit.model.quadratures import initial_state, integrands, with_integrals
from gradaudit.model.shared_form import Numbers, with_numbers
from gradaudit.model.switching import branching
from gradaudit.records.results import EventRecord
from gradaudit.sensitivity.solve_status import Raw
from gradaudit.solvers import integration
from gradaudit.solvers.error_norm import Control, block_norm
from gradaudit.solvers.event_recorder import RecordedEvents, locate
from gradaudit.solvers.first_step import initial_step
from gradaudit.solvers.global_error import Estimated
from gradaudit.solvers.nest import nested, without_errors
from gradaudit.solvers.options import StaticOptions, TracedOptions
from gradaudit.solvers.registry import get_solver
from gradaudit.solvers.step_control import NormController, scalar_controller
from gradaudit.solvers.tangent_solver import (
    StateAndTangents,
    TangentArgs,
    TangentSolver,
    TangentTerm,
    WithTangents,
)

TOGETHER = 16
"""Observations of models of one form are filled up to a multiple of this."""


class _Parts(NamedTuple):
    """What a solve is made of: the term, the solver of the grid, the one that observes."""

    lifted: TangentTerm
    solver: Any
    observer: Any


@dataclass(frozen=True)
class Program:
    """The compiled solve of one model, with what is compiled of its options.

    What is compiled may be that of all models of its form, with their `numbers` as an argument.
    """

    model: Model
    options: StaticOptions
    _compiled: dict[tuple[int, int], Any] = field(default_factory=dict, compare=False, repr=False)
    numbers: Numbers | None = None
    end: ScalarLike | None = None
    """The end of the window where it is traced, so that a program is that of all windows."""

    def __call__(
        self,
        times: ArrayLike,
        traced: TracedOptions,
        *,
        control: Control,
        columns: ArrayLike,
        p: ArrayLike | None = None,
    ) -> tuple[Raw, float, float]:
        """Solve, and return the arrays with the seconds of the warm solve and of the compilation.

        `columns` are the parameters propagated, (c,). The compilation is paid once for each number
        of observation times and of parameters.
        """
        times, columns = np.asarray(times), np.asarray(columns)
        count, length = len(times), self._length(len(times))
        times = np.concatenate([times, np.repeat(times[-1:], length - count)])
        p = self.model.nominal if p is None else np.asarray(p, dtype=np.float64)
        seeds = np.zeros((self.model.m, len(columns)))
        seeds[columns, np.arange(len(columns))] = self.model.parameter_scale[columns]
        inputs = (self.numbers, np.float64(self.model.t_end), times, p, seeds, traced, control)
        raw, seconds, compiling = run_compiled(
            self._compiled, (len(times), len(columns)), self._solve_with, inputs, self.options.dtype
        )
        event_records, perturbed = self._records_of(raw.event_records)
        raw = raw._replace(
            states=raw.states[:count],
            tangents=raw.tangents[:count],
            estimates=tuple(x[:count] for x in raw.estimates),
            event_records=event_records,
            perturbed=perturbed,
        )
        return raw, seconds, compiling

    def _length(self, count: int) -> int:
        """How many observations are compiled for so many; the last one is repeated.

        A loop over one observation is compiled without a loop, and would make the step that ends at
        an observation in every step of the grid. What is shared by models, each of which has its
        own number of observations, is compiled for few of these.
        """
        return max(count, 2) if self.numbers is None else -(-count // TOGETHER) * TOGETHER

    def _records_of(
        self, marks: RecordedEvents | tuple[()]
    ) -> tuple[tuple[EventRecord, ...], tuple[EventRecord, ...]]:
        """The events that were found, in the order of time, and those of the perturbed solve."""
        if not isinstance(marks, RecordedEvents):
            return (), ()
        names = list(self._markers)
        slots = [k for k in np.argsort(marks.time, kind="stable") if marks.marker[k] >= 0]

        def records(fields: Any) -> tuple[EventRecord, ...]:
            time, *rest = fields
            return tuple(
                EventRecord(names[int(marks.marker[k])], float(time[k]), *(x[k] for x in rest))
                for k in slots
            )

        return records(marks[1:6]), records(marks.perturbed) if marks.perturbed else ()

    def _solve_with(self, numbers: Numbers | None, end: ScalarLike, *inputs: Any) -> Raw:
        model = self.model if numbers is None else with_numbers(self.model, numbers)
        return replace(self, model=model, end=end)._solve(*inputs)

    def _solve(
        self,
        times: Times,
        p: Parameters,
        seeds: Seeds,
        traced: TracedOptions,
        control: Control,
    ) -> Raw:
        solution = self.integrate(times, p, seeds, traced, control)
        state, marks = solution.solver_state, None
        if self._markers:
            state, brackets = state
            parts = self._parts(traced, with_integrals(self.model))
            marks = locate(
                brackets,
                parts.observer,
                parts.lifted,
                TangentArgs.along(p, seeds, traced.rtol, traced.atol),
                self._marker_values,
                with_integrals(self.model),
                self._branches(),
                perturbed=bool(self.options.estimate) and not self._probing,
            )
        estimates: Any = ()
        if self.options.estimate:
            state, _ = state
            estimates = (solution.ys.error, solution.ys.tangent_error)
        steps, accepted, rejected = (
            solution.stats[f"num_{kind}steps"] for kind in ("", "accepted_", "rejected_")
        )
        return Raw(
            states=solution.ys.y,
            tangents=solution.ys.tangents,
            indicator=jnp.nan if self.options.augmented else state.indicator,
            crossed=() if self.options.augmented else state.crossed,
            faint=() if self.options.augmented else state.faint,
            steps=steps,
            accepted=accepted,
            rejected=rejected,
            result=solution.result._value,
            event_records=() if marks is None else marks,
            estimates=estimates,
        )

    @property
    def _markers(self) -> dict[str, Event]:
        """Events that are recorded in passing: those without a jump."""
        return {k: e for k, e in self.model.events.items() if e.jump is None}

    def _marker_values(self, t: Scalar, z: States, p: Parameters) -> EventValues:
        values = [event.when(t, z[: self.model.n], p) for event in self._markers.values()]
        return jnp.stack([jnp.asarray(value).reshape(()) for value in values])

    def _parts(self, traced: TracedOptions, vector_field: Callable[..., Any]) -> _Parts:
        method, n = get_solver(self.options.solver), self.model.n
        term = diffrax.ODETerm(jax.jit(vector_field))  # traced once, not in every stage
        lifted = TangentTerm(term)
        fast, own = method.build(**traced.of_root_finder, n=n)
        if self.options.augmented:
            return _Parts(lifted, own, own)
        solver = TangentSolver(fast, term, watched=n, branches=self._branches())
        return _Parts(lifted, solver, TangentSolver(own, term, watched=n))

    def _branches(self) -> FrozenField | None:
        """The vector field with each branch chosen explicitly, if it has any."""
        return branching(self.model)

    def integrate(
        self,
        times: Times,
        p: Parameters,
        seeds: Seeds,
        traced: TracedOptions,
        control: Control,
        *,
        t0: ScalarLike = 0.0,
        start: StateAndTangents | Estimated | None = None,
        event: diffrax.Event | None = None,
        longest_step: float | None = None,
        vector_field: Callable[..., Any] | None = None,
        watch: diffrax.SubSaveAt | None = None,
    ) -> diffrax.Solution:
        """The traced solve, from the initial state or from `start` at t0, up to t_end or an event.

        With an event there are two records: the observations, and the state where it stopped. No
        step exceeds `longest_step`. `vector_field` takes the place of that of states and integrals.
        What `watch` saves comes last, if it is given.
        """
        n, end = self.model.n, self.model.t_end if self.end is None else self.end
        method = get_solver(self.options.solver)
        parts = self._parts(traced, vector_field or with_integrals(self.model))
        directions = tuple(marker.direction for marker in self._markers.values())
        term, solver = nested(
            parts.solver,
            parts.observer,
            parts.lifted,
            estimate=bool(self.options.estimate),
            direction=jnp.asarray(signs(seeds.shape[1])) if self._probing else None,
            markers=(self._marker_values, directions) if directions and event is None else None,
            dense=self.options.observe == "interpolant",
            stops=event is not None,
        )

        def scaled(error: WithTangents, before: WithTangents, after: WithTangents) -> Scalar:
            return block_norm(control, traced, error, before, after, n)

        scalar = scalar_controller(
            self.options.stepping,
            order=method.order,
            t_end=end,
            options=traced,
            adaptive=method.adaptive,
            longest=longest_step,
        )
        controller: Any = NormController(scalar, scaled)
        if self.options.observe == "clip":
            controller = diffrax.ClipStepSizeController(controller, step_ts=times)
        observed, last = diffrax.SubSaveAt(ts=times), diffrax.SubSaveAt(t1=True)
        saved: Any = observed if event is None else [observed, last]
        if watch is not None:
            saved = [*saved, watch]
        if start is None:
            start = self._initial(p, seeds)
            if self.options.estimate:
                start = without_errors(start, along_one=self._probing)
        return integration.diffeqsolve(
            term,
            solver,
            t0=t0,
            t1=end,
            dt0=initial_step(self.model, self.options.stepping, p, traced, method.order),
            y0=start,
            args=TangentArgs.along(p, seeds, traced.rtol, traced.atol),
            saveat=diffrax.SaveAt(subs=saved, solver_state=True),
            stepsize_controller=controller,
            event=event,
            adjoint=diffrax.ForwardMode(),
            max_steps=self.options.max_steps,
            throw=False,
        )

    @property
    def _probing(self) -> bool:
        return self.options.estimate == "probe"

    def _initial(self, p: Parameters, seeds: Seeds) -> StateAndTangents:
        """y0(p) and its tangents; integrals begin at 0 and depend on nothing there."""
        extra = jnp.zeros(len(integrands(self.model)))

        def start(p: Parameters) -> States:
            return jnp.concatenate([initial_state(self.model, p), extra])

        tangents = jax.vmap(lambda seed: jax.jvp(start, (p,), (seed,))[1], in_axes=-1, out_axes=-1)(
            seeds
        )
        return StateAndTangents(start(p), tangents)
