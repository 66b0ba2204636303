"""Whether the vector field that was compiled is the one that was written.

Collocation reads its rates from a translation of the vector field, which may simplify a jump away:
the angle of (0, x) is 0 to a computer algebra and pi left of 0. So along the solution the rates are
evaluated by JAX as well. What rounding explains, in the formula as it was translated, is no
difference.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.jaxpr.tracing import trace
from gradaudit.backend.jaxpr.walk import equations
from gradaudit.certification.collocation.vector_field import VectorField
from gradaudit.certification.heyoka.precision import DOUBLE, to_float64
from gradaudit.certification.rounding_check import AS_ROUGH
from gradaudit.certification.step_inspection import BATCH
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import integrand_names, with_integrals

Float = NDArray[np.float64]

DIFFERENT = 1e-9
"""Of the largest rate of a component along the solution."""

UNITS = 16
"""Of the last place of its terms, by which double precision may have a rate wrong."""


def mistranslated(
    model: Model, fine: VectorField, rough: VectorField, times: Float, values: NDArray[Any]
) -> str | None:
    """When and why the rates of JAX are other ones than those of `fine`, None where they are not.

    Parameters
    ----------
    fine, rough
        The compiled vector field, in the precision of the solve and in double.
    times, values
        Points of the solution: (T,), and states and integrals (T, N).
    """
    some = np.unique(np.linspace(0, len(times) - 1, min(len(times), BATCH)).astype(int))
    t, z = times[some], to_float64(values[some])
    full = np.resize(np.arange(len(t)), BATCH)  # so that operations are compiled once
    own = np.asarray(_rates(model, t[full], z[full]))[: len(t)]
    points = np.concatenate([t[None], z[:, : model.n].T, np.tile(model.nominal, (len(t), 1)).T])
    better = to_float64(fine.rates(np.ascontiguousarray(fine.precision.array(points))))
    rounding = np.abs(rough.rates(np.ascontiguousarray(points)) - better)
    assert own.shape[1] == model.n + len(integrand_names(model))
    allowed = AS_ROUGH * rounding + DIFFERENT * np.nan_to_num(np.abs(better)).max(axis=0)
    angles = _has_angle(model)  # which may jump by less than the rounding of other terms
    allowed += 0.0 if angles else UNITS * DOUBLE.eps * _terms(rough, points)
    wrong = np.any(np.abs(own - better) > allowed, axis=1)  # no comparison with NaN is true
    if not wrong.any():
        return None
    row = int(np.argmax(wrong))
    return (
        f"at t = {t[row]:g} the vector field is another one for JAX than for its translation"
        f"{_cause(model, own[row], better[row])}"
    )


def _terms(rough: VectorField, points: Any) -> Float:
    """About the size of the terms of each rate (K, N), which cancel where a solution rests."""
    slopes = np.nan_to_num(np.abs(rough.slopes(np.ascontiguousarray(points))))
    slopes *= np.abs(points[1:].T[:, rough.columns])
    by_states, by_parameters = rough.dense(slopes)
    total: Float = by_states.sum(axis=-1) + by_parameters.sum(axis=-1)
    return total


def _rates(model: Model, times: Any, states: Any) -> Any:
    """By JAX (T, N), operation by operation: to compile the field for one call takes longer."""
    return jax.vmap(with_integrals(model), in_axes=(0, 0, None))(
        jnp.asarray(times), jnp.asarray(states), jnp.asarray(model.nominal)
    )


def _has_angle(model: Model) -> bool:
    size = model.n + len(integrand_names(model))
    jaxpr = trace(with_integrals(model), [None, size, model.m], model.name)
    return any(eqn.primitive.name == "atan2" for eqn in equations(jaxpr.jaxpr))


def _cause(model: Model, own: Float, better: Float) -> str:
    """Why the rates (N,) of JAX are other ones than those that were translated."""
    if not np.isfinite(own).all():
        return ", for which JAX has no finite number there"
    if _has_angle(model):
        return ", as where arctan2 jumps (declare an event there)"
    worst = int(np.argmax(np.abs(own - better)))
    name = [*model.states, *integrand_names(model)][worst]
    return (
        f": the rate of {name!r} is {own[worst]:.6g} and {better[worst]:.6g}. Either a switch "
        "without an event is there (declare one), or double precision does not resolve the rate"
    )
