"""Solves through events: from one event to the next, with what each of them does to the tangents.

The solve of a segment ends where the sign of an event's function changes; the time is found by
bisection on steps of the method itself, so it has the accuracy of the method. Then state and
tangents are taken through the event. With saltation the derivative of the event's time is in the
tangents; without it they are what forward AD of a program makes that finds the event, jumps and
goes on: the jump is differentiated, its time is not.

Where errors are estimated, the perturbed solve of `gradaudit.solvers.global_error` goes through an
event of its own, a little earlier or later, and always with saltation; to and from it it goes along
the rate at the end of the segment. So what is left out of the tangents is part of the estimate of
their error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from numpy.typing import ArrayLike

from gradaudit.backend.jax_setup import run_compiled
from gradaudit.backend.jaxpr.branches import Decisions, FrozenField, differ
from gradaudit.backend.shapes import (
    EventValues,
    Flag,
    Parameters,
    Scalar,
    ScalarLike,
    Seeds,
    Slopes,
    States,
    Tangents,
    Times,
)
from gradaudit.model.definition import Event
from gradaudit.model.quadratures import integrand_names, with_integrals
from gradaudit.model.start_events import AT_THRESHOLD
from gradaudit.model.switch_coincidence import Coincidence
from gradaudit.sensitivity import segment_looks
from gradaudit.sensitivity.hybrid_types import (
    EVENT_COOLDOWN,
    EventTransition,
    PlainField,
    Segment,
    Triggered,
)
from gradaudit.sensitivity.program import Program
from gradaudit.sensitivity.solve_status import Raw
from gradaudit.solvers.error_norm import Control
from gradaudit.solvers.event_recorder import PerturbedEvent
from gradaudit.solvers.global_error import Estimated, carried, to_its_event
from gradaudit.solvers.nest import without_errors
from gradaudit.solvers.options import TracedOptions
from gradaudit.solvers.tangent_solver import StateAndTangents, TangentArgs

LONGEST_STEP = 0.01  # of the window, lest a step passes over a pulse and its two events


@dataclass(frozen=True)
class HybridProgram(Program):
    """`Program` for a model with events; the option `saltation` tells what is done at them."""

    _compiled_parts: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def events(self) -> dict[str, Event]:
        """The events at which a segment ends: without saltation, those with a jump."""
        events = self.model.events
        return {k: e for k, e in events.items() if self.options.saltation or e.jump is not None}

    @cached_property
    def coincidence(self) -> Coincidence:
        """Whether what switches at an event turns with it; looked at once for each change."""
        return Coincidence(self.model)

    def __call__(
        self,
        times: ArrayLike,
        traced: TracedOptions,
        *,
        control: Control,
        columns: ArrayLike,
        p: ArrayLike | None = None,
    ) -> tuple[Raw, float, float]:
        """As `Program.__call__`, from event to event."""
        from gradaudit.sensitivity.hybrid_run import HybridRun  # which imports this module

        return HybridRun(self, np.asarray(times), traced, control, columns, p).run()

    def run(self, key: Any, function: Any, inputs: Any) -> tuple[Any, float, float]:
        return run_compiled(self._compiled_parts, key, function, inputs, self.options.dtype)

    def segment(
        self,
        t0: Scalar,
        z: States,
        tangents: Tangents,
        error: StateAndTangents | tuple[()],
        signs: EventValues,
        decisions: Decisions,
        times: Times,
        p: Parameters,
        seeds: Seeds,
        traced: TracedOptions,
        control: Control,
    ) -> Segment:
        """Solve from t0 on, traced; `signs` (E,) are those of the events just behind t0.

        The segment ends where the first of the events changes its sign, in whatever direction.
        """
        field, looks = self._field(), jnp.linspace(0.0, self.model.t_end, segment_looks.LOOKS)
        quiet = t0 + EVENT_COOLDOWN * self.model.t_end

        def before_every_event(t: Scalar, y: Any, args: TangentArgs, **_: Any) -> Scalar:
            values = self.values(t, y.y, args.p)
            return jnp.min(jnp.where(t > quiet, signs * values, 1.0))

        eps = float(np.finfo(self.options.dtype).eps)
        finder = optx.Bisection(
            rtol=4 * eps, atol=4 * eps * self.model.t_end, flip="detect", expand_if_necessary=False
        )
        solution = self.integrate(
            jnp.maximum(times, t0),
            p,
            seeds,
            traced,
            control,
            t0=t0,
            start=Estimated(z, tangents, *error)
            if self.options.estimate
            else StateAndTangents(z, tangents),
            event=diffrax.Event(before_every_event, root_finder=finder, direction=False),
            longest_step=LONGEST_STEP * self.model.t_end,
            vector_field=lambda t, z, p: field(t, z, p, decisions),
            watch=diffrax.SubSaveAt(
                ts=jnp.maximum(looks, t0),
                fn=lambda t, y, args: segment_looks.look(
                    field, self.values, decisions, t, y, p, seeds
                ),
            )
            if self.options.saltation
            else None,
        )
        observed, last, *watched = solution.ys
        progress = solution.solver_state[0] if self.options.estimate else solution.solver_state
        stop, state = solution.ts[1][0], last.y[0]
        rate, ahead = field(stop, state, p, decisions), EVENT_COOLDOWN * self.model.t_end
        along = (jnp.ones_like(stop), rate)
        values, rates = jax.jvp(lambda t, z: self.values(t, z, p), (stop, state), along)
        happened = jnp.asarray(solution.event_mask)
        inside = (times > t0 + ahead) & (times < stop - ahead)
        seen = (times, observed.y, p, inside)
        changed_branch, missed_event = segment_looks.missed(
            field, self.values, decisions, signs, *seen
        )
        grazing: Any = False
        if watched:
            inside = (looks > t0 + ahead) & (looks < stop - ahead)
            before = differ(field.decisions(stop - ahead, state - ahead * rate, p), decisions)
            elsewhere = jnp.any(inside & (watched[0].elsewhere > 0.0))
            changed_branch |= elsewhere | (before & (stop > t0 + 3.0 * ahead))
            grazing = segment_looks.touched(watched[0], looks, inside, traced.rtol)
        counts = [solution.stats[f"num_{kind}steps"] for kind in ("", "accepted_", "rejected_")]
        return Segment(
            states=observed.y,
            tangents=observed.tangents,
            errors=observed.errors if self.options.estimate else (),
            stop=stop,
            state=state,
            tangent=last.tangents[0],
            error=StateAndTangents(*(x[0] for x in last.errors)) if self.options.estimate else (),
            signs_ahead=jnp.sign(self.values(stop + ahead, state + ahead * rate, p)),
            event_index=jnp.where(happened, jnp.argmin(signs * values / jnp.abs(rates)), -1),
            changed_branch=changed_branch,
            missed_event=missed_event,
            touched=jnp.asarray(grazing),
            indicator=jnp.nan if self.options.augmented else progress.indicator,
            crossed=() if self.options.augmented else progress.crossed,
            counts=jnp.stack(counts),
            result=solution.result._value,
        )

    def value(self, event: Event, t: ScalarLike, z: States, p: Parameters) -> Scalar:
        """g(t, y, p) of an event, a scalar."""
        return jnp.asarray(event.when(t, z[: self.model.n], p)).reshape(())

    def _branches(self) -> FrozenField | None:
        """Nothing is left to be watched where a segment stays on its branches."""
        return None if self.options.saltation else super()._branches()

    def values(self, t: ScalarLike, z: States, p: Parameters) -> EventValues:
        """Those of all events, (E,)."""
        return jnp.stack([self.value(event, t, z, p) for event in self.events.values()])

    def _field(self) -> Any:
        """The vector field with its branches frozen, or without saltation as it is."""
        function = with_integrals(self.model)
        if not self.options.saltation:
            return PlainField(function)
        size = self.model.n + len(integrand_names(self.model))
        return FrozenField(function, size, self.model.m)

    def start(self, p: Parameters, seeds: Seeds) -> EventTransition:
        """State, tangents and signs at t = 0, traced."""
        begin = self._initial(p, seeds)
        estimated = bool(self.options.estimate)
        right = without_errors(begin, along_one=self._probing).errors if estimated else ()
        still = jnp.zeros(seeds.shape[1]), begin.y
        return self._behind(0.0, begin.y, begin.tangents, *still, p, right)

    def passed_at_start(self, p: Parameters, begin: EventTransition) -> Flag:
        """Whether a jump lies so soon behind t = 0 that no event is looked for, traced."""
        near = AT_THRESHOLD * self.model.t_end
        jumps = [(event.jump is not None, event.direction) for event in self.events.values()]
        return segment_looks.passed(self._field(), self.values, jumps, p, begin, near)

    def transition(
        self,
        event: Event,
        t: ScalarLike,
        z: States,
        tangents: Tangents,
        error: StateAndTangents | tuple[()],
        decisions: Decisions,
        p: Parameters,
        seeds: Seeds,
        slopes: tuple[Slopes, Slopes] | None = None,
        trigger: Triggered | None = None,
    ) -> EventTransition:
        """Through one event, traced; `decisions` are those before it.

        An event that comes after others of the same moment has its `slopes` given, those of its
        time in the solve and in the perturbed solve, and the state at its `trigger`.
        """
        crossing = self._transition(
            event, t, z, tangents, decisions, p, seeds, self.options.saltation,
            None if slopes is None else slopes[0], trigger,
        )  # fmt: skip
        if not self.options.estimate:
            return crossing
        perturbed = Estimated(z, tangents, *error).perturbed
        if slopes is None:
            record, reached = self._perturbed(event, t, perturbed, decisions, p, seeds)
        else:
            record, reached = self._perturbed_later(
                event, t, perturbed, decisions, p, seeds, slopes[1], trigger
            )
        error = StateAndTangents(reached.y - crossing.state, reached.tangents - crossing.tangents)
        return crossing._replace(error=error, perturbed=record)

    def _perturbed_later(
        self,
        event: Event,
        t: ScalarLike,
        perturbed: StateAndTangents,
        decisions: Decisions,
        p: Parameters,
        seeds: Seeds,
        slope: Slopes,
        trigger: Triggered | None,
    ) -> tuple[PerturbedEvent, StateAndTangents]:
        """The perturbed solve through an event that comes after others, at their time."""
        if trigger is not None:
            moved = Estimated(trigger.state, trigger.tangents, *trigger.error).perturbed
            trigger = trigger._replace(state=moved.y, tangents=moved.tangents)
        after = self._transition(event, t, *perturbed, decisions, p, seeds, True, slope, trigger)
        record = PerturbedEvent(jnp.asarray(t), slope, *perturbed, after.rate)
        return record, StateAndTangents(after.state, after.tangents)

    def _perturbed(
        self,
        event: Event,
        t: ScalarLike,
        perturbed: StateAndTangents,
        decisions: Decisions,
        p: Parameters,
        seeds: Seeds,
    ) -> tuple[PerturbedEvent, StateAndTangents]:
        """The perturbed solve, from t before the event to t after its own event, which is near."""
        field = self._field()
        wait, before = to_its_event(
            lambda t, z, p: self.value(event, t, z, p),
            lambda t, z, p: field(t, z, p, decisions),
            t, perturbed, p, seeds,
        )  # fmt: skip
        its = t + wait
        after = self._transition(
            event, its, before.y, before.tangents, decisions, p, seeds, saltation=True
        )
        reached = carried(
            -wait,
            lambda t, z, p: field(t, z, p, after.decisions),
            its,
            StateAndTangents(after.state, after.tangents),
            p,
            seeds,
        )
        return PerturbedEvent(its, after.slope, *before, after.rate), reached

    def _transition(
        self,
        event: Event,
        t: ScalarLike,
        z: States,
        tangents: Tangents,
        decisions: Decisions,
        p: Parameters,
        seeds: Seeds,
        saltation: bool,
        given_slope: Slopes | None = None,
        trigger: Triggered | None = None,
    ) -> EventTransition:
        field, one = self._field(), jnp.ones_like(t)
        if trigger is None:
            trigger = Triggered(z, tangents, (), decisions)
        assigned = self.model.assigned_indices(event)

        def after(t: ScalarLike, z: States, at: States, p: Parameters) -> States:
            if event.jump is None:
                return z
            if assigned is None:
                y = jnp.asarray(event.jump(t, z[: self.model.n], p))
                return jnp.concatenate([y, z[self.model.n :]])
            rows = jnp.asarray(assigned)
            return z.at[rows].set(jnp.asarray(event.jump(t, at[: self.model.n], p))[rows])

        before_rate = field(t, z, p, decisions)
        rates = (before_rate, field(t, trigger.state, p, trigger.decisions))
        z_after = after(t, z, trigger.state, p)
        step = EVENT_COOLDOWN * self.model.t_end
        after_rate = field(t, z_after, p, field.decisions_ahead(t, z_after, p, step))
        # as the time goes on along the flow before the event
        _, crossing = jax.jvp(lambda t, z: self.value(event, t, z, p), (t, z), (one, before_rate))
        _, moving = jax.jvp(
            lambda t, z, at: after(t, z, at, p), (t, z, trigger.state), (one, *rates)
        )

        def push(tangent: States, at_trigger: States, seed: Parameters) -> tuple[States, Scalar]:
            _, shift = jax.jvp(lambda z, p: self.value(event, t, z, p), (z, p), (tangent, seed))
            _, jumped = jax.jvp(
                lambda z, at, p: after(t, z, at, p),
                (z, trigger.state, p),
                (tangent, at_trigger, seed),
            )
            return jumped, -shift / crossing

        jumped, slope = jax.vmap(push, in_axes=-1, out_axes=-1)(tangents, trigger.tangents, seeds)
        if given_slope is not None:
            slope = given_slope
        extra = (moving - after_rate)[:, None] * slope[None, :]
        tangents = jumped + extra if saltation else jumped
        behind = self._behind(t, z_after, tangents, slope, before_rate, p)
        if saltation:
            matters = segment_looks.matters(self.events)
            onto = segment_looks.put_on_threshold(
                self.values, t, z_after, tangents, after_rate, slope, p, seeds, matters
            )
            behind = behind._replace(onto_threshold=onto)
        return behind if saltation else behind._replace(neglected=extra)

    def drift(
        self,
        t: ScalarLike,
        z: States,
        tangents: Tangents,
        error: StateAndTangents | tuple[()],
        p: Parameters,
    ) -> EventTransition:
        """Through a threshold in a direction in which nothing happens, traced."""
        return self._behind(t, z, tangents, jnp.zeros(tangents.shape[1]), z, p, error)

    def _behind(
        self,
        t: ScalarLike,
        z: States,
        tangents: Tangents,
        slope: Slopes,
        rate: States,
        p: Parameters,
        error: StateAndTangents | tuple[()] = (),
    ) -> EventTransition:
        field, step = self._field(), EVENT_COOLDOWN * self.model.t_end
        decisions = field.decisions_ahead(t, z, p, step)
        ahead = z + step * field(t, z, p, decisions)
        signs = jnp.sign(self.values(t + step, ahead, p))
        nothing = jnp.zeros_like(tangents)
        return EventTransition(z, tangents, slope, rate, signs, decisions, nothing, error)
