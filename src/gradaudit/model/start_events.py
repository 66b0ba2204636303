"""Events that happen at t = 0: their jumps are part of the initial state.

A dose at the beginning is the usual case. Its time must not depend on the parameters: if it did, a
small change of them would move the event out of the window, and the derivative would be one-sided.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradaudit.backend.program_cache import identity_cache
from gradaudit.errors import ModelError, first_few
from gradaudit.model.definition import Event, Model
from gradaudit.model.moment import UnsettledMomentError, outcomes

AT_THRESHOLD = 1e-12
"""Of the window: how far in time an event at its threshold may seem to be from t = 0."""

ROUNDING = 1e-15
"""Of the window: a time that differs from 0 by more than rounding."""

Start = Callable[[Any], Any]
Happened = tuple[tuple[str, int], ...]
"""Events in their order, each with the number of those before it when it was triggered."""


@identity_cache
def start_events(model: Model) -> Happened:
    """The events with a jump that happen at t = 0, in their order.

    Raises
    ------
    ModelError
        If the time of one depends on a parameter, or the initial state depends on their order.
    """
    if not any(event.jump is not None and event.at_start for event in model.events.values()):
        return ()
    with jax.ensure_compile_time_eval():
        return _happening(model)


def declared_start(model: Model) -> Start:
    """y0(p) as the model declares it, before any event."""
    initial = model.initial_state
    if initial is None:
        return lambda p: jnp.asarray(model.declared_state)
    return lambda p: jnp.asarray(initial(p))


def start_after(model: Model, happened: Happened) -> Start:
    """y0(p) after events, in their order."""
    declared = declared_start(model)

    def start(p: Any) -> Any:
        states = [declared(p)]
        for name, since in happened:
            states.append(_jumped(model, model.events[name], states[since], states[-1], p))
        return states[-1]

    return start


def _jumped(model: Model, event: Event, triggered: Any, y: Any, p: Any) -> Any:
    assert event.jump is not None
    positions = model.assigned_indices(event)
    if positions is None:
        return jnp.asarray(event.jump(0.0, y, p))
    new, entries = jnp.asarray(event.jump(0.0, triggered, p)), list(jnp.unstack(jnp.asarray(y)))
    for position in positions:
        entries[position] = new[position]
    return jnp.stack(entries)


class _Start:
    """The moment t = 0; a state of it is what has happened so far."""

    def __init__(self, model: Model) -> None:
        self.model, self.p = model, jnp.asarray(model.nominal)
        self.since: dict[str, int] = {}

    def state(self, happened: Happened) -> Any:
        return start_after(self.model, happened)(self.p)

    def priority(self, name: str, state: Happened) -> float | None:
        priority = self.model.events[name].priority
        return float(priority(0.0, self.state(state), self.p)) if callable(priority) else priority

    def happen(self, name: str, state: Happened) -> tuple[Happened, list[str]]:
        if not state:
            self.since = {}
        after = (*state, (name, self.since.get(name, 0)))
        one, other = self._signs(state), self._signs(after)
        events = self.model.events
        more = [
            k for k in one if k != name and one[k] * other[k] < 0 <= events[k].direction * other[k]
        ]
        self.since |= dict.fromkeys(more, len(after))
        return after, more

    def _signs(self, state: Happened) -> dict[str, float]:
        y = self.state(state)
        return {
            name: float(np.sign(jnp.asarray(event.when(0.0, y, self.p)).reshape(())))
            for name, event in self.model.events.items()
            if event.jump is not None
        }

    def differs(self, one: Happened, other: Happened) -> bool:
        for of in (lambda start: start, jax.jacfwd):
            a, b = (np.asarray(of(start_after(self.model, h))(self.p)) for h in (one, other))
            if not np.allclose(a, b, rtol=1e-9, atol=1e-12 * np.max(np.abs(a), initial=0.0)):
                return True
        return False


def _happening(model: Model) -> Happened:
    p = jnp.asarray(model.nominal)
    start = declared_start(model)
    y, tangents = start(p), jax.jacfwd(start)(p)
    flow = jnp.asarray(model.vector_field(jnp.zeros(()), y, p))
    triggered = []
    for name, event in model.events.items():
        if event.jump is None or not event.at_start:
            continue

        def value(t: Any, y: Any, p: Any, event: Event = event) -> Any:
            return jnp.asarray(event.when(t, y, p)).reshape(())

        zero = jnp.zeros(())
        g, rate = jax.jvp(lambda t, y: value(t, y, p), (zero, y), (jnp.ones(()), flow))
        near = abs(float(g)) <= AT_THRESHOLD * model.t_end * abs(float(rate))
        if not near or float(rate) == 0.0 or event.direction * float(rate) < 0:
            continue
        # A tiny time that is a parameter moves by as little, and by no less than itself.
        time = abs(float(g) / float(rate))
        least = 0.1 * time if time > ROUNDING * model.t_end else AT_THRESHOLD * model.t_end
        by_state, by_p = jax.grad(value, argnums=(1, 2))(zero, y, p)
        moving = np.asarray((by_state @ tangents + by_p) * model.parameter_scale / rate)
        moved = [
            parameter
            for parameter, slope in zip(model.parameters, moving, strict=True)
            if abs(slope) > least
        ]
        if moved:
            raise ModelError(
                f"model {model.name!r}: the event {name!r} happens at t = 0 itself, and its time "
                f"depends on {first_few(moved)}: a small change moves it out of the "
                "window, so that the derivative is one-sided. Give it a fixed time, or move it "
                "into the window."
            )
        triggered.append(name)
    moment = _Start(model)
    try:
        happened, settled = outcomes(moment, (), triggered, differs=moment.differs)
    except UnsettledMomentError:
        happened, settled = (), False
    if not settled:
        raise ModelError(
            f"model {model.name!r}: the events {first_few(triggered)} happen together "
            "at t = 0, and the state after them depends on their order. Give them priorities."
        )
    return happened
