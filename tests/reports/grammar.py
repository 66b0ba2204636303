"""A grammar of small models: what hypothesis draws, and the `gradaudit.Model` it stands for.

A specification is plain data. Its vector field is written once, for jax.numpy and for numpy, so
that the model and the independent solution (`reports.piecewise`) read the same sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from hypothesis import strategies as st

from gradaudit import Event, Model

Value = tuple[str, float]
"""("c", number), ("p", index) or ("y", index)."""


@dataclass(frozen=True)
class Term:
    """A smooth summand of the rate of state `of`."""

    of: int
    kind: str
    state: int
    factor: Value


@dataclass(frozen=True)
class Crossing:
    """A time (``state`` None) or a state at a level."""

    state: int | None
    level: Value


@dataclass(frozen=True)
class Switch:
    """A summand of the rate of state `of`, `high` where the crossing lies behind, else 0."""

    of: int
    where: Crossing
    high: Value


@dataclass(frozen=True)
class Jump:
    """What happens to state `of` at a crossing: "add", "multiply" or "assign" a value."""

    of: int
    where: Crossing
    direction: int
    action: str
    value: Value
    assigns: bool
    priority: float | None


@dataclass(frozen=True)
class Spec:
    """A model of the grammar; `seed` is a parameter that is the first initial state, or None."""

    states: tuple[float, ...]
    parameters: tuple[float, ...]
    seed: int | None
    terms: tuple[Term, ...]
    switches: tuple[Switch, ...]
    jumps: tuple[Jump, ...]
    times: tuple[float, ...]
    t_end: float = 1.0


def value(ref: Value, y: Any, p: Any) -> Any:
    """What a reference stands for."""
    kind, what = ref
    return what if kind == "c" else (p if kind == "p" else y)[int(what)]


def margin(where: Crossing, t: Any, y: Any, p: Any) -> Any:
    """The function that is zero at a crossing, and positive behind it."""
    return (t if where.state is None else y[where.state]) - value(where.level, y, p)


def rates(xp: Any, spec: Spec, t: Any, y: Any, p: Any, modes: Any = None) -> list[Any]:
    """dy/dt; `modes` are the outcomes of the switches, None where they are read from y."""
    total = [0.0 * y[i] for i in range(len(spec.states))]
    for term in spec.terms:
        f, x = value(term.factor, y, p), y[term.state]
        total[term.of] = (
            total[term.of]
            + {
                "constant": lambda f=f, x=x: f,
                "linear": lambda f=f, x=x: f * x,
                "decay": lambda f=f, x=x: -f * x,
                "square": lambda f=f, x=x: -0.5 * f * x * x,
                "exponential": lambda f=f, x=x: f * xp.exp(-x),
                "sine": lambda f=f, x=x: f * xp.sin(3.0 * t),
                "saturating": lambda f=f, x=x: -f * x / (0.5 + x * x),
            }[term.kind]()
        )
    for k, switch in enumerate(spec.switches):
        high = value(switch.high, y, p)
        if modes is None:
            part = xp.where(margin(switch.where, t, y, p) >= 0.0, high, 0.0)
        else:
            part = high if modes[k] else 0.0
        total[switch.of] = total[switch.of] + part
    return total


def jumped(jump: Jump, y: Any, p: Any) -> Any:
    """The new value of the state that a jump changes."""
    v, old = value(jump.value, y, p), y[jump.of]
    return {"add": old + v, "multiply": old * v, "assign": 0.0 * old + v}[jump.action]


def build(spec: Spec) -> Model:
    """The model of a specification."""

    def after(jump: Jump) -> Any:
        def new(t: Any, y: Any, p: Any) -> Any:
            entries = list(jnp.unstack(jnp.asarray(y)))
            entries[jump.of] = jumped(jump, y, p)
            return jnp.stack(entries)

        return new

    events = {
        f"switch{k}": Event(when=lambda t, y, p, w=s.where: margin(w, t, y, p))
        for k, s in enumerate(spec.switches)
    } | {
        f"jump{k}": Event(
            when=lambda t, y, p, w=j.where: margin(w, t, y, p),
            direction=j.direction,
            jump=after(j),
            priority=j.priority,
            assigns=(f"y{j.of}",) if j.assigns else None,
        )
        for k, j in enumerate(spec.jumps)
    }

    def start(p: Any) -> Any:
        y = jnp.asarray(spec.states)
        return jnp.concatenate([p[spec.seed : spec.seed + 1], y[1:]])

    return Model(
        name="drawn",
        vector_field=lambda t, y, p: jnp.stack(rates(jnp, spec, t, y, p)),
        states={f"y{i}": (v, "1") for i, v in enumerate(spec.states)},
        parameters={f"p{j}": (v, "1") for j, v in enumerate(spec.parameters)},
        initial_state=None if spec.seed is None else start,
        t_end=spec.t_end,
        events=events,
    )


@st.composite
def specs(draw: Any) -> Spec:
    """Models of 1 to 3 states and 1 to 4 parameters; times and values come from small pools."""
    n, m = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    least = draw(st.sampled_from([0, 1]))
    state, parameter = st.integers(0, n - 1), st.integers(0, m - 1)
    numbers = st.sampled_from([0.25, 0.5, 0.75, 1.0, 1.5, -0.5, 0.7])
    factor = st.one_of(
        st.tuples(st.just("p"), parameter), st.tuples(st.just("p"), parameter),
        st.tuples(st.just("c"), numbers),
    )  # fmt: skip
    level = st.one_of(
        st.tuples(st.just("p"), parameter),
        st.tuples(st.just("c"), st.sampled_from([0.25, 0.5, 0.75, 0.0, 1.0, 0.3])),
    )
    crossing = st.builds(Crossing, st.one_of(st.none(), state), level)
    new = st.one_of(factor, st.tuples(st.just("y"), state))
    switch = st.builds(Switch, state, crossing, factor)
    terms = st.builds(
        Term, state, st.sampled_from(["constant", "linear", "decay", "square", "exponential",
                                      "sine", "saturating"]), state, factor,
    )  # fmt: skip
    jumps = st.builds(
        Jump, state, crossing, st.sampled_from([0, 1, -1, 1]),
        st.sampled_from(["add", "multiply", "assign"]), new, st.booleans(),
        st.sampled_from([None, None, 1.0, 2.0]),
    )  # fmt: skip
    return Spec(
        states=draw(st.tuples(*[st.sampled_from([1.0, 0.5, 0.0, 2.0, 0.2, 1e-9])] * n)),
        parameters=draw(st.tuples(*[st.sampled_from(
            [0.5, 0.25, 0.75, 1.0, 0.6, 1.3, 0.37, 0.0, -0.7, 1e-3, 2.0])] * m)),
        seed=draw(st.one_of(st.none(), st.none(), parameter)),
        terms=tuple(draw(st.lists(terms, min_size=1, max_size=2 * n))),
        switches=tuple(draw(st.lists(switch, min_size=least, max_size=2))),
        jumps=tuple(draw(st.lists(jumps, min_size=least, max_size=3))),
        times=draw(st.sampled_from([(0.4, 1.0), (0.0, 0.5, 0.9), (0.3, 0.75, 1.0), (0.11, 0.87)])),
    )  # fmt: skip
