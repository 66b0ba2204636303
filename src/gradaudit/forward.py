"""States and sensitivities by the lifted solver: one program for all norms and tolerances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from gradaudit.control import Control, NormController, block_norm, scalar_controller
from gradaudit.directions import signs
from gradaudit.frozen import FrozenField, branching, switches
from gradaudit.integrals import initial_state, integrands, with_integrals
from gradaudit.jaxconfig import run_compiled
from gradaudit.lifted import Lifted, LiftedArgs, LiftedSolver, LiftedTerm
from gradaudit.markers import MarkedSolver, Marks, locate
from gradaudit.model import Event, Model
from gradaudit.observing import SteppedOutput
from gradaudit.propagated import Estimated, EstimatedOutput, EstimatedTerm, EstimatingSolver
from gradaudit.results import Hit
from gradaudit.sciml import first_step
from gradaudit.solvers import get_solver

TOO_MANY_EVENTS, UNDECLARED_SWITCH, LOST_EVENT = -1, -2, -3  # results that diffrax does not have
OBSERVE = ("step", "clip", "interpolant")
MAX_STEPS = 500_000
T = TypeVar("T")


class Raw(NamedTuple):
    """One solve: states (T, N), tangents (T, N, c) of p_j d/dp_j, what it took, its events.

    `estimates` are those of the errors of states (T, N) and tangents (T, N, c), if asked for, and
    `beside` the events of the companion; `crossed` is what was seen of discontinuities, if
    anything was looked at.
    """

    states: Any
    tangents: Any
    indicator: Any
    steps: Any
    accepted: Any
    rejected: Any
    result: Any
    hits: Any = ()
    estimates: Any = ()
    beside: Any = ()
    crossed: Any = ()


class _Parts(NamedTuple):
    """What a solve is made of: the term, the solver of the grid, the one that observes."""

    lifted: LiftedTerm
    solver: Any
    observer: Any


@dataclass(frozen=True)
class Program:
    """The compiled solve of one model, solver and way to observe.

    Attributes
    ----------
    observe
        "step": an observation is reached by a step of the method from the grid point before it,
        and the grid is that of the states. "clip": the steps of the grid end at the observation
        times. "interpolant": the method's dense output.
    stepping
        "diffrax" or "sciml", see `gradaudit.control.scalar_controller`.
    augmented
        Integrate the sensitivity equations as one large system with diffrax's solver as it is,
        instead of lifting the solver; there is no indicator then.
    dtype
        "float64" or "float32", of states, tangents, time and everything else; what comes back is
        float64 in any case.
    estimate
        Carry estimates of the global errors along, see `gradaudit.propagated`; "probe": those of
        the tangents along one direction only, and none of events.
    """

    model: Model
    solver: str
    observe: str = "step"
    max_steps: int = MAX_STEPS
    stepping: str = "diffrax"
    augmented: bool = False
    dtype: str = "float64"
    estimate: bool | str = False
    _compiled: dict[tuple[int, int], Any] = field(default_factory=dict, compare=False, repr=False)

    def __call__(
        self, times, *, rtol: float, atol: float, control: Control, columns, p=None
    ) -> tuple[Raw, float, float]:
        """Solve, and return the arrays with the seconds of the warm solve and of the compilation.

        `columns` are the parameters propagated, (c,). The compilation is paid once for each number
        of observation times and of parameters.
        """
        if len(times) == 1:
            # A loop over one observation is compiled without a loop, and would make the step that
            # ends at an observation in every step of the grid.
            raw, seconds, compiling = self(
                np.repeat(times, 2), rtol=rtol, atol=atol, control=control, columns=columns, p=p
            )
            return (
                raw._replace(states=raw.states[:1], tangents=raw.tangents[:1]),
                seconds,
                compiling,
            )
        columns = np.asarray(columns)
        p = self.model.nominal if p is None else np.asarray(p, dtype=np.float64)
        seeds = np.zeros((self.model.m, len(columns)))
        seeds[columns, np.arange(len(columns))] = self.model.parameter_scale[columns]
        inputs = (np.asarray(times), p, seeds, float(rtol), float(atol), control)
        raw, seconds, compiling = run_compiled(
            self._compiled, (len(times), len(columns)), self._solve, inputs, self.dtype
        )
        hits, beside = self._hits(raw.hits)
        return raw._replace(hits=hits, beside=beside), seconds, compiling

    def _hits(self, marks: Marks | tuple[()]) -> tuple[tuple[Hit, ...], tuple[Hit, ...]]:
        """The events that were found, in the order of time, and those of the companion."""
        if not isinstance(marks, Marks):
            return (), ()
        names = list(self._markers)
        found = [k for k in np.argsort(marks.time, kind="stable") if marks.marker[k] >= 0]

        def hits(fields: Any) -> tuple[Hit, ...]:
            time, *rest = fields
            return tuple(
                Hit(names[int(marks.marker[k])], float(time[k]), *(x[k] for x in rest))
                for k in found
            )

        return hits(marks[1:6]), hits(marks.beside) if marks.beside else ()

    def _solve(self, times, p, seeds, rtol, atol, control: Control) -> Raw:
        solution = self.integrate(times, p, seeds, rtol, atol, control)
        state, marks = solution.solver_state, None
        if self._markers:
            state, brackets = state
            parts = self._parts(rtol, atol, control, with_integrals(self.model))
            marks = locate(
                brackets,
                parts.observer,
                parts.lifted,
                LiftedArgs(p, seeds, rtol, atol),
                self._marker_values,
                with_integrals(self.model),
                self._branches(),
                beside=bool(self.estimate) and not self._probing,
            )
        if self.estimate:
            state, _ = state
        steps, accepted, rejected = (
            solution.stats[f"num_{kind}steps"] for kind in ("", "accepted_", "rejected_")
        )
        return Raw(
            states=solution.ys.y,
            tangents=solution.ys.tangents,
            indicator=jnp.nan if self.augmented else state.indicator,
            crossed=() if self.augmented else state.crossed,
            steps=steps,
            accepted=accepted,
            rejected=rejected,
            result=solution.result._value,
            hits=() if marks is None else marks,
            estimates=(solution.ys.error, solution.ys.tangent_error) if self.estimate else (),
        )

    @property
    def _markers(self) -> dict[str, Event]:
        """Events that are taken down in passing: those without a jump."""
        return {k: e for k, e in self.model.events.items() if e.jump is None}

    def _marker_values(self, t, z, p):
        values = [event.when(t, z[: self.model.n], p) for event in self._markers.values()]
        return jnp.stack([jnp.asarray(value).reshape(()) for value in values])

    def _parts(self, rtol, atol, control: Control, vector_field) -> _Parts:
        method, n = get_solver(self.solver), self.model.n
        term = diffrax.ODETerm(jax.jit(vector_field))  # traced once, not in every stage
        lifted = LiftedTerm(term)
        fast, own = method.build(
            rtol=control.root_tolerance * rtol, atol=control.root_tolerance * atol, n=n
        )
        if self.augmented:
            return _Parts(lifted, own, own)
        solver = LiftedSolver(fast, term, watched=n, branches=self._branches())
        return _Parts(lifted, solver, LiftedSolver(own, term, watched=n))

    def _branches(self) -> FrozenField | None:
        """The vector field with its branches in hand, if it has any."""
        return branching(self.model)

    def integrate(
        self, times, p, seeds, rtol, atol, control: Control, *,
        t0=0.0, start=None, event=None, longest_step=None, vector_field=None,
    ) -> diffrax.Solution:  # fmt: skip
        """The traced solve, from the initial state or from `start` at t0, up to t_end or an event.

        With an event there are two records: the observations, and the state where it stopped. No
        step exceeds `longest_step`. `vector_field` takes the place of that of states and integrals.
        """
        n = self.model.n
        method = get_solver(self.solver)
        parts = self._parts(rtol, atol, control, vector_field or with_integrals(self.model))
        lifted = parts.lifted
        solver: Any = parts.solver
        term: Any = lifted
        dense = solver.interpolation_cls if self.observe == "interpolant" else None
        direction = jnp.asarray(signs(seeds.shape[1])) if self._probing else None
        if self.estimate:
            solver = EstimatingSolver(solver, lifted, solver, direction)
            term = EstimatedTerm(lifted)
        if event is None and self._markers:
            directions = tuple(marker.direction for marker in self._markers.values())
            solver = MarkedSolver(solver, term, self._marker_values, directions)
        if self.estimate:
            solver = EstimatedOutput(solver, parts.observer, lifted, term, dense, direction)
        elif dense is None:
            solver = SteppedOutput(solver, parts.observer, lifted)

        def scaled(error, before, after):
            return block_norm(control, error, before, after, rtol, atol, n)

        scalar = scalar_controller(
            self.stepping,
            order=method.order,
            t_end=self.model.t_end,
            control=control,
            adaptive=method.adaptive,
            longest=longest_step,
        )
        controller: Any = NormController(scalar, scaled)
        if self.observe == "clip":
            controller = diffrax.ClipStepSizeController(controller, step_ts=times)
        observed, last = diffrax.SubSaveAt(ts=times), diffrax.SubSaveAt(t1=True)
        saved: Any = observed if event is None else [observed, last]
        begin = self._initial(p, seeds) if start is None else start
        if self.estimate and start is None:
            begin = Estimated(begin.y, begin.tangents, *self._no_errors(begin))
        return diffrax.diffeqsolve(
            term,
            solver,
            t0=t0,
            t1=self.model.t_end,
            dt0=initial_step(self.model, self.stepping, p, rtol, atol, method.order),
            y0=begin,
            args=LiftedArgs(p, seeds, rtol, atol),
            saveat=diffrax.SaveAt(subs=saved, solver_state=True),
            stepsize_controller=controller,
            event=event,
            adjoint=diffrax.ForwardMode(),
            max_steps=self.max_steps,
            throw=False,
        )

    @property
    def _probing(self) -> bool:
        return self.estimate == "probe"

    def _no_errors(self, begin: Lifted) -> Lifted:
        tangents = begin.tangents[:, :1] if self._probing else begin.tangents
        return Lifted(jnp.zeros_like(begin.y), jnp.zeros_like(tangents))

    def _initial(self, p, seeds) -> Lifted:
        """y0(p) and its tangents; integrals begin at 0 and depend on nothing there."""
        extra = jnp.zeros(len(integrands(self.model)))

        def start(p):
            return jnp.concatenate([initial_state(self.model, p), extra])

        tangents = jax.vmap(lambda seed: jax.jvp(start, (p,), (seed,))[1], in_axes=-1, out_axes=-1)(
            seeds
        )
        return Lifted(start(p), tangents)


def initial_step(model: Model, stepping: str, p, rtol, atol, order: int):
    """The first step where the stepping chooses it itself, else None: then diffrax does."""
    if stepping != "sciml":
        return None
    return first_step(
        model.vector_field, initial_state(model, p), p, rtol=rtol, atol=atol, order=order
    )


_WORDS = (
    (diffrax.RESULTS.successful, "ok"),
    (diffrax.RESULTS.max_steps_reached, "max_steps"),
    (diffrax.RESULTS.dt_min_reached, "step_underflow"),
    # Of a step that could not be rejected: one of equal steps.
    (diffrax.RESULTS.nonlinear_divergence, "root_not_found"),
    (diffrax.RESULTS.nonlinear_max_steps_reached, "root_not_found"),
)


def word_for(result: int, finite: bool) -> str:
    """A word for what happened, from diffrax's result code and whether the arrays are finite."""
    known = {int(member._value): word for member, word in _WORDS}
    known |= {
        TOO_MANY_EVENTS: "max_events",
        UNDECLARED_SWITCH: "undeclared_switch",
        LOST_EVENT: "lost_event",
    }
    word = known.get(result, "failed")
    return "non_finite" if word == "ok" and not finite else word


def status_of(raw: Raw) -> str:
    """`word_for` a solve with tangents."""
    finite = np.all(np.isfinite(raw.states)) and np.all(np.isfinite(raw.tangents))
    return word_for(int(raw.result), bool(finite))


class _ByIdentity:
    """Lets a cache hold a model, whose mappings do not hash, by identity."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.model is self.model

    def __hash__(self) -> int:
        return id(self.model)


def identity_cache(build: Callable[..., T]) -> Callable[..., T]:
    """Cache `build(model, *settings)` by the identity of the model and the settings."""
    cached = lru_cache(maxsize=32)(lambda held, *settings: build(held.model, *settings))
    return lambda model, *settings: cached(_ByIdentity(model), *settings)


@identity_cache
def program(
    model: Model,
    solver: str,
    observe: str = "step",
    max_steps: int = MAX_STEPS,
    stepping: str = "diffrax",
    augmented: bool = False,
    dtype: str = "float64",
    saltation: bool = False,
    estimate: bool | str = False,
) -> Program:
    """The program for a model, solver and way to observe, compiled at most once in a process.

    A model whose state jumps needs one that stops at its jumps; with `saltation` it stops at every
    event if the vector field switches somewhere, and the tangents know that the event's time
    depends on the parameters. Other events are taken down in passing.
    """
    settings = (model, solver, observe, max_steps, stepping, augmented, dtype)
    jumps = any(event.jump is not None for event in model.events.values())
    if jumps or (saltation and model.events and switches(model)):
        from gradaudit.segments import SegmentedProgram

        return SegmentedProgram(*settings, estimate=estimate, saltation=saltation)
    return Program(*settings, estimate=estimate)
