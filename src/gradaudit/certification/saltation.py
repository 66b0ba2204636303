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

from gradaudit.certification.heyoka import elementwise
from gradaudit.certification.heyoka.precision import Precision
from gradaudit.certification.heyoka.translate import state_variables, translate
from gradaudit.model.definition import Event, Model

Array = NDArray[Any]


@dataclass(frozen=True)
class Effect:
    """An event's function, its jump and their derivatives; `function` compiles them all.

    At (t, z, p) it gives g, g_t, g_z (N,), g_p (m,), R (N,), R_t (N,), R_z (N, N), R_p (N, m).
    """

    function: Callable[[Array, Array, Array], dict[str, Array]]
    trigger: hy.expression


def compile_effect(model: Model, name: str, event: Event, precision: Precision) -> Effect:
    """Translate an event and its derivatives, with integrals that no event changes.

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

    after: list[Any] = list(z)
    if event.jump is not None:
        jump = event.jump
        after[:n] = translate(
            lambda a, b, c: jump(a, b[:n], c),
            [t, z, p],
            precision=precision,
            where=f"{where}.jump",
        )
    rows = [scalar(t, p), *(elementwise.lift(entry) for entry in after)]
    variables = [t, *z, *p]
    derivatives = [hy.diff(row, variable) for row in rows for variable in variables]
    evaluate = compiled([*rows, *derivatives], variables, precision)

    def function(time: Any, state: Array, parameters: Array) -> dict[str, Array]:
        out = evaluate(np.concatenate([[time], state, parameters]))
        values, slopes = out[: 1 + size], out[1 + size :].reshape(1 + size, 1 + size + m)
        return {
            "g": values[0],
            "g_t": slopes[0, 0],
            "g_z": slopes[0, 1 : 1 + size],
            "g_p": slopes[0, 1 + size :],
            "R": values[1:],
            "R_t": slopes[1:, 0],
            "R_z": slopes[1:, 1 : 1 + size],
            "R_p": slopes[1:, 1 + size :],
        }

    return Effect(function, scalar(hy.time, [hy.par[j] for j in range(m)]))


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
