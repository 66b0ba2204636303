"""Values and derivatives of a model's rules at points, in long double where that is possible.

Observables are often rules of the model, and near an optimum the terms of a gradient cancel. In
float64 the rounding of a rule would then be all that is wrong in a certified gradient.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gradaudit.backend.program_cache import identity_cache
from gradaudit.certification.heyoka.functions import Evaluate, with_slopes
from gradaudit.model.sbml.importer import Translation
from gradaudit.model.sbml.layout import Layout, Point

UNITS = 16
"""Of the last place of every term of a rule, by which its evaluation may be off."""

DOUBLE_ROUNDING = UNITS * np.finfo(np.float64).eps
EXTENDED_ROUNDING = UNITS * np.finfo(np.longdouble).eps

FINER = 4 * np.finfo(np.longdouble).eps / np.finfo(np.float64).eps
"""Of what the same expression is off by in double, what it may be off by in long double.

This is much where intermediate results are far larger than the terms of the rule.
"""

AGREE = 1e-6
"""Of its terms: what the precisions may differ by, unless they read the rule differently."""


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


def in_long_double(
    translation: Translation, names: tuple[str, ...], z: Any, times: Any
) -> RuleValues:
    """By heyoka in long double from z of that type; as `in_double` where that gives no number."""
    plain = in_double(translation, names, z.astype(np.float64), times)
    model = translation.model
    evaluate = _extended(translation.layout, names, model.n, model.m)
    if evaluate is None:
        return plain
    (value, slope), (rough, rough_slope) = evaluate(z, times)
    with np.errstate(invalid="ignore", over="ignore"):
        terms = np.abs(value) + np.abs(slope * z[:, None]).sum(axis=-1)
        good = np.abs(value - plain.value) <= AGREE * terms
        steep = np.abs(slope).max(axis=-1, initial=0.0)
        good &= np.all(np.abs(slope - plain.slope) <= AGREE * steep[..., None], axis=-1)
        value_off = _off(np.abs(value - rough), terms, good)
        slope_off = _off(np.abs(slope - rough_slope), np.abs(slope), good[..., None])
    return RuleValues(
        np.where(good, value, plain.value),
        np.where(good[..., None], slope, plain.slope),
        np.where(good, EXTENDED_ROUNDING, plain.rounding),
        value_off,
        slope_off,
    )


def _off(difference: Any, size: Any, good: Any) -> Any:
    """What results (T, ...) may be off by beyond the rounding of terms of a `size`.

    The difference of the precisions may be small by chance at one point: what it is at the others,
    absolutely or in relation to the size, counts there too.
    """
    difference = np.where(good & np.isfinite(difference), difference, 0.0)
    relative = np.divide(difference, size, out=np.zeros_like(difference), where=size > 0.0)
    elsewhere = np.minimum(relative.max(axis=0) * size, difference.max(axis=0))
    return np.where(good, FINER * np.maximum(difference, elsewhere), 0.0)


@identity_cache
def _functions(layout: Layout, names: tuple[str, ...], n: int) -> tuple[Any, Any, Any, Any]:
    def evaluate(z: Any, t: Any) -> Any:
        scope = Point(layout, t, z[:n], z[n:]).scope
        return jnp.stack([jnp.asarray(scope(name), jnp.float64) for name in names])

    slope = jax.jacfwd(evaluate)
    value, first, second = (jax.jit(jax.vmap(own)) for own in (evaluate, slope, jax.jacfwd(slope)))
    return evaluate, value, first, second


@identity_cache
def _extended(layout: Layout, names: tuple[str, ...], n: int, m: int) -> Evaluate | None:
    """The rules by heyoka; None where one cannot be translated."""
    return with_slopes(_functions(layout, names, n)[0], n + m, "rules")
