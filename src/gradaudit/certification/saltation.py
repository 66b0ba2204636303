"""What an event does to the tangents, in the precision of the solve.

At an event the state jumps from z- to z+ = R(tau, z-, p), at a time tau(p) with
g(tau, z-(tau), p) = 0, and the rates from f- to f+. To first order in p,

    dtau/dp = -(g_z S- + g_p) / (g_t + g_z f-)
    S+ = R_z S- + R_p + (R_z f- + R_t - f+) dtau/dp

(Hiskens and Pai 2000, IEEE Transactions on Circuits and Systems I 47, 204-220).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.jaxpr.switch_table import SWITCHES
from gradaudit.backend.jaxpr.tracing import trace
from gradaudit.backend.jaxpr.walk import equations
from gradaudit.certification.heyoka import elementwise
from gradaudit.certification.heyoka.branch_choices import Switches
from gradaudit.certification.heyoka.interpreter import Interpreter
from gradaudit.certification.heyoka.precision import DOUBLE, Precision
from gradaudit.certification.heyoka.translate import read, state_variables, translate
from gradaudit.model.definition import Event, Model, VectorField

Array = NDArray[Any]


@dataclass(frozen=True)
class Effect:
    """An event's function, its jump and their derivatives.

    At (t, z, p) `crossing` gives g, g_t, g_z (N,), g_p (m,), and `function` R (N,), R_t (N,),
    R_z (N, N), R_p (N, m) besides.
    """

    crossing: Callable[[Any, Array, Array], dict[str, Array]]
    function: Callable[[Any, Array, Array], dict[str, Array]]
    trigger: hy.expression


def compile_effect(model: Model, name: str, event: Event, precision: Precision) -> Effect:
    """Translate an event and its derivatives, with integrals that no event changes.

    What switches in the jump is decided at the state where the event happens, and compiled for
    those decisions when they are first met.

    Raises
    ------
    TranslationError
        If the event itself has something that the Taylor method cannot follow.
    """
    z, t = state_variables(model), hy.expression("t")
    p = [hy.expression(f"p{j}") for j in range(model.m)]
    size, n, m = len(z), model.n, model.m
    where = f"model {model.name!r}: events[{name!r}]"

    def scalar(time: Any, parameters: list[Any]) -> hy.expression:
        return translate(
            lambda a, b, c: event.when(a, b[:n], c),
            [time, z, parameters],
            precision=precision,
            where=f"{where}.when",
        )[0]

    variables = [t, *z, *p]
    jump = None if event.jump is None else Jump(model, event.jump, f"{where}.jump")
    functions: dict[tuple[int, ...], Callable[[Array], Array]] = {}

    def compiled_rows(rows: list[hy.expression]) -> Callable[[Array], Array]:
        derivatives = [hy.diff(row, variable) for row in rows for variable in variables]
        return compiled([*rows, *derivatives], variables, precision)

    def compiled_for(choices: tuple[int, ...]) -> Callable[[Array], Array]:
        if choices not in functions:
            after: list[Any] = list(z)
            if jump is not None:
                after[:n] = jump.expressions(choices, precision, t, z[:n], p)
            functions[choices] = compiled_rows([elementwise.lift(entry) for entry in after])
        return functions[choices]

    if jump is None or not jump.switches:
        compiled_for(())  # what cannot be followed is told before the solve
    of_event = compiled_rows([scalar(t, p)])

    def evaluated(
        run: Callable[[Array], Array], count: int, point: Array
    ) -> tuple[Array, Array, Array, Array]:
        out = run(point)
        slopes = out[count:].reshape(count, 1 + size + m)
        return out[:count], slopes[:, 0], slopes[:, 1 : 1 + size], slopes[:, 1 + size :]

    def crossing(time: Any, state: Array, parameters: Array) -> dict[str, Array]:
        point = np.concatenate([[time], state, parameters])
        names = ("g", "g_t", "g_z", "g_p")
        return {k: v[0] for k, v in zip(names, evaluated(of_event, 1, point), strict=True)}

    def function(time: Any, state: Array, parameters: Array) -> dict[str, Array]:
        choices = () if jump is None else jump.choices(float(time), state)
        point = np.concatenate([[time], state, parameters])
        values = evaluated(compiled_for(choices), size, point)
        after = dict(zip(("R", "R_t", "R_z", "R_p"), values, strict=True))
        return crossing(time, state, parameters) | after

    return Effect(crossing, function, scalar(hy.time, [hy.par[j] for j in range(m)]))


class Jump:
    """A jump R(t, y, p) -> (n,) that may switch, read with numbers or with expressions."""

    def __init__(self, model: Model, jump: VectorField, where: str) -> None:
        self.model, self.where = model, where
        self._jaxpr = trace(jump, [None, model.n, model.m], where)

    @property
    def switches(self) -> bool:
        """Whether anything switches in it."""
        return any(eqn.primitive.name in SWITCHES for eqn in equations(self._jaxpr.jaxpr))

    def choices(self, time: float, state: Array) -> tuple[int, ...]:
        """The branches at a point, in double precision.

        Raises
        ------
        AmbiguousJumpError
            If the point is on the boundary of a branch.
        """
        if not self.switches:
            return ()
        y = [float(x) for x in state[: self.model.n]]
        point = [time, y, [float(x) for x in self.model.nominal]]
        taken = self._read(point, DOUBLE, None).taken
        for side in (-NUDGE, NUDGE):
            shifted = [time + side * self.model.t_end, [x + side * abs(x) for x in y], point[2]]
            if self._read(shifted, DOUBLE, None).taken != taken:
                raise AmbiguousJumpError(self.where)
        return tuple(taken)

    def expressions(
        self, choices: tuple[int, ...], precision: Precision, t: Any, y: Any, p: Any
    ) -> list[Any]:
        """The state after the jump on given branches, (n,)."""
        switches = Switches(given=choices)
        return read(self._jaxpr, [t, y, p], Interpreter(precision, self.where, switches))

    def _read(self, point: Any, precision: Precision, given: Any) -> Switches:
        switches = Switches(given=given)
        read(self._jaxpr, point, Interpreter(precision, self.where, switches))
        return switches


class AmbiguousJumpError(Exception):
    """A jump that is on the boundary of one of its branches where it happens."""


NUDGE = 1e-11
"""Of the window, and of each state: within it a branch of a jump must not change."""


def compiled(
    rows: list[hy.expression], variables: list[hy.expression], precision: Precision
) -> Callable[[Array], Array]:
    """A function of the values of `variables`, in the precision, as arrays of python objects.

    Arrays of objects, for then products and sums are there in every precision.
    """
    function = hy.cfunc(rows, variables, compact_mode=True, **precision.options)

    def evaluate(values: Array) -> Array:
        inputs: Array = np.empty(len(values), dtype=precision.fp_type)
        inputs[:] = list(values)
        return np.array(list(function(inputs)), dtype=object)

    return evaluate


def event_time_slope(effect: dict[str, Array], tangents: Array, before: Array) -> Array:
    """dtau/dp (m,), from S- (N, m) and f- (N,)."""
    crossing = effect["g_t"] + effect["g_z"] @ before
    return -(effect["g_z"] @ tangents + effect["g_p"]) / crossing


def transversality(effect: dict[str, Array], before: Array) -> float:
    """|dg/dt| along the flow over the sizes of its terms: 0 at grazing, 1 at best."""
    terms = np.abs(effect["g_z"].astype(object) * before).sum() + abs(effect["g_t"])
    rate = abs(effect["g_t"] + effect["g_z"] @ before)
    return float(rate / terms) if terms > 0 else 0.0


def jumped(
    effect: dict[str, Array], tangents: Array, before: Array, after: Array, slope: Array
) -> Array:
    """S+ (N, m) from S- (N, m), f- and f+ (N,), and dtau/dp (m,)."""
    shift = effect["R_z"] @ before + effect["R_t"] - after
    return effect["R_z"] @ tangents + effect["R_p"] + np.outer(shift, slope)
