"""Values and derivatives of a model's rules at points, in more than float64 where possible.

Observables are often rules of the model, and near an optimum the terms of a gradient cancel. In
float64 the rounding of a rule would then be all that is wrong in a certified gradient.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gradaudit.backend.program_cache import identity_cache
from gradaudit.certification.heyoka.functions import Evaluate, Evaluated, with_slopes
from gradaudit.certification.heyoka.precision import (
    DOUBLE,
    LONG_DOUBLE,
    QUAD,
    Precision,
    to_extended,
    to_quad,
)
from gradaudit.model.sbml.importer import Translation
from gradaudit.model.sbml.layout import Layout

LONG = np.dtype(np.longdouble)

UNITS = 16
"""Of the last place of every term of a rule, by which its evaluation may be off."""

DOUBLE_ROUNDING = UNITS * np.finfo(np.float64).eps
EXTENDED_ROUNDING = UNITS * np.finfo(np.longdouble).eps

SAFETY = 64
"""Times what the finer arithmetic has in digits: by how much less it is off than float64 is.

Float64 is off by more than usual at some points and by less at others.
"""

AGREE = 1e-6
"""Of its terms: what the precisions may differ by, unless they read the rule differently."""

CHANCE = 1e3
"""Or of what the same expressions differ by: terms may cancel in float64 to no digit at all."""


class RuleValues(NamedTuple):
    """Of A rules at T points, by the n states and m parameters z.

    `value` (T, A), `slope` (T, A, n + m); `rounding` (T, A), of all terms; `value_off` (T, A) and
    `slope_off` (T, A, n + m), which are to be added to what follows from it.
    """

    value: Any
    slope: Any
    rounding: Any
    value_off: Any
    slope_off: Any


def rule_functions(translation: Translation, names: tuple[str, ...]) -> tuple[Any, Any, Any]:
    """Values, first and second derivatives of rules by z = (y, p) at T points and times."""
    return _functions(translation.layout, names, translation.model.n)[1:]


def in_double(translation: Translation, names: tuple[str, ...], z: Any, times: Any) -> RuleValues:
    """By JAX, in float64."""
    value, slope = (np.asarray(f(z, times)) for f in rule_functions(translation, names)[:2])
    rounding = np.full(value.shape, DOUBLE_ROUNDING)
    return RuleValues(value, slope, rounding, np.zeros(value.shape), np.zeros(slope.shape))


def in_more(translation: Translation, names: tuple[str, ...], z: Any, times: Any) -> RuleValues:
    """By heyoka in the precision of z, long double or quad; where that gives none, by less."""
    result = plain = in_double(translation, names, z.astype(np.float64), times)
    left, model, quad = np.ones(plain.value.shape, dtype=bool), translation.model, z.dtype != LONG
    if quad:
        result = _lifted(plain, DOUBLE)
    rounded = to_extended(z, QUAD) if quad else z
    for evaluate in _extended(translation.layout, names, model.n, model.m):
        if not np.any(left):
            break
        found = evaluate(z, times)
        good, finer = _compare(found, plain, rounded)
        if quad:
            finer = _in_quad(found, finer)
        use = good & left
        left = left & ~good
        result = RuleValues(
            *(
                np.where(use.reshape(use.shape + (1,) * (a.ndim - use.ndim)), a, b)
                for a, b in zip(finer, result, strict=True)
            )
        )
    return result


def rounded(values: RuleValues) -> RuleValues:
    """Of quad precision, to long double."""
    value, slope = (to_extended(part, QUAD) for part in values[:2])
    return values._replace(value=value, slope=slope)


def _lifted(values: RuleValues, precision: Precision) -> RuleValues:
    """Of less, to quad precision, in which they have no more digits."""
    value, slope = (to_quad(part, precision) for part in values[:2])
    return values._replace(value=value, slope=slope)


def _compare(found: Evaluated, plain: RuleValues, z: Any) -> tuple[Any, RuleValues]:
    """Where the rule is read as in float64, (T, A); and what the finer arithmetic says."""
    with np.errstate(invalid="ignore", over="ignore"):
        terms = np.abs(found.value) + np.abs(found.slope * z[:, None]).sum(axis=-1)
        off = np.abs(found.value - found.rough_value)
        slope_off = np.abs(found.slope - found.rough_slope)
        good = np.abs(found.value - plain.value) <= AGREE * terms + CHANCE * off
        steep = np.abs(found.slope).max(axis=-1, initial=0.0)
        allowed = AGREE * steep[..., None] + CHANCE * slope_off
        good &= np.all(np.abs(found.slope - plain.slope) <= allowed, axis=-1)
        finer = RuleValues(
            found.value,
            found.slope,
            np.full(found.value.shape, EXTENDED_ROUNDING),
            SAFETY * found.finer * _off(off, terms, good),
            SAFETY * found.finer * _off(slope_off, np.abs(found.slope), good[..., None]),
        )
    return good, finer


def _in_quad(found: Evaluated, finer: RuleValues) -> RuleValues:
    """With values and slopes in quad precision, whether they have those digits or not."""
    if found.quad is None:
        return _lifted(finer, LONG_DOUBLE)
    value, slope = found.quad
    rounding = np.full(finer.rounding.shape, UNITS * QUAD.eps)
    return finer._replace(value=value, slope=slope, rounding=rounding)


def _off(difference: Any, size: Any, good: Any) -> Any:
    """What results (T, ...) in float64 may be off by beyond the rounding of terms of a `size`.

    The difference of the precisions may be small by chance at one point: what it is at the others,
    absolutely or in relation to the size, counts there too.
    """
    difference = np.where(good & np.isfinite(difference), difference, 0.0)
    relative = np.divide(difference, size, out=np.zeros_like(difference), where=size > 0.0)
    elsewhere = np.minimum(relative.max(axis=0) * size, difference.max(axis=0))
    return np.where(good, np.maximum(difference, elsewhere), 0.0)


@identity_cache
def _functions(layout: Layout, names: tuple[str, ...], n: int) -> tuple[Any, Any, Any, Any]:
    def evaluate(z: Any, t: Any) -> Any:
        scope = layout.lookup(t, z[:n], z[n:])
        return jnp.stack([jnp.asarray(scope(name), jnp.float64) for name in names])

    slope = jax.jacfwd(evaluate)
    value, first, second = (jax.jit(jax.vmap(own)) for own in (evaluate, slope, jax.jacfwd(slope)))
    return evaluate, value, first, second


@identity_cache
def _extended(layout: Layout, names: tuple[str, ...], n: int, m: int) -> list[Evaluate]:
    """The ways to the rules in more than float64; none where one cannot be translated."""
    return with_slopes(_functions(layout, names, n)[0], n + m, "rules")
