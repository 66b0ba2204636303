"""Checks of gradients that another tool gave for a model or an estimation problem."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradaudit.certification import reference
from gradaudit.checked.gradient_check.entries import checked, judge_each, judge_norm
from gradaudit.checked.gradient_check.result import GradientCheck
from gradaudit.errors import SettingError
from gradaudit.model.definition import Model
from gradaudit.problem.certified import reference_gradient
from gradaudit.problem.definition import Problem

Array = NDArray[np.float64]

NEGLIGIBLE = 1e-3
"""Of the largest sensitivity of a state to a parameter over time: what is smaller is compared with
that."""
NOUGHT = 1e-9
"""Of a state's size: a change of it, as a parameter changes by its own size, that is none."""
CANCELLED = 1e-9
"""Of the size of its terms: a gradient that is smaller is compared with them."""
MORE_DIGITS = 2.0
"""That a reference is asked for, beyond those of the accuracy."""


def check_problem(
    problem: Problem, p: ArrayLike | None, gradient: Any, *, accuracy: float, time_limit: float
) -> GradientCheck:
    """As `gradaudit.check_gradient` for an estimation problem."""
    if gradient is None:
        raise SettingError(
            "gradient is missing: for an estimation problem give the numbers that are to be "
            "checked, (K,) on the estimation scale. gradaudit.reference_gradient computes them."
        )
    given = np.asarray(gradient, dtype=float)
    names = problem.parameters.names
    if given.shape != (len(names),):
        raise SettingError(f"gradient has shape {given.shape}; the problem has ({len(names)},).")
    digits = -np.log10(accuracy) + MORE_DIGITS
    exact = reference_gradient(problem, p, digits=digits, time_limit=time_limit)
    to_scaled = np.array(
        [
            {"lin": abs(x) or 1.0, "log": 1.0, "log10": 1.0 / np.log(10.0)}[scale]
            for scale, x in zip(exact.scale, exact.point_values, strict=True)
        ]
    )
    bars = np.where(np.isfinite(exact.bounds), exact.bounds, np.inf)
    size = float(np.linalg.norm(np.nan_to_num(exact.gradient * to_scaled)))
    terms = float(np.linalg.norm(np.nan_to_num(exact.sizes * to_scaled)))
    scale = size if size > CANCELLED * terms else terms
    verdict = judge_norm(
        given * to_scaled, exact.gradient * to_scaled, bars * to_scaled, scale, accuracy
    )
    return checked(
        verdict,
        accuracy,
        compared="the given gradient of the log-likelihood, on the estimation scale, against the "
        "certified one",
        note="" if exact.status == "ok" else f"The reference is {exact.status}.",
        names=names,
        numbers=(given, exact.gradient, bars),
        weights=to_scaled,
    )


def check_model(
    model: Model,
    p: ArrayLike | None,
    gradient: Any,
    *,
    times: ArrayLike | None,
    accuracy: float,
    time_limit: float,
) -> GradientCheck:
    """As `gradaudit.check_gradient` for a model."""
    if gradient is None:
        raise SettingError(
            "gradient is missing: for a model give the sensitivities that are to be checked, "
            "(T, n, m) at `times` or (n, m) at t_end. gradaudit.sensitivities computes them."
        )
    if p is not None:
        model = _at(model, np.asarray(p, dtype=float))
    given = np.asarray(getattr(gradient, "sensitivities", gradient), dtype=float)
    if times is None:
        times = getattr(gradient, "times", [model.t_end] if given.ndim == 2 else None)
    given = given[None] if given.ndim == 2 else given
    exact = reference(model, times, digits=-np.log10(accuracy) + MORE_DIGITS, time_limit=time_limit)
    if given.shape != exact.sensitivities.shape:
        raise SettingError(
            f"gradient has shape {given.shape}; at these times it is {exact.sensitivities.shape}: "
            "times, states, parameters."
        )
    bounds = np.full(given.shape, np.inf)
    if exact.extended is not None:
        bounds = np.asarray(exact.extended.sensitivity_bounds, dtype=float)
    sizes = model.parameter_scale
    scaled = np.abs(exact.sensitivities) * sizes
    states = np.max(np.abs(exact.states), axis=0)[None, :, None]
    scales = np.maximum(scaled, NEGLIGIBLE * np.max(scaled, axis=0, keepdims=True))
    scales = np.maximum(scales, NOUGHT * states)
    verdict = judge_each(
        given * sizes, exact.sensitivities * sizes, bounds * sizes, scales, accuracy
    )
    names = [
        f"d {state} / d {parameter} at t = {t:g}"
        for t in exact.times
        for state in model.states
        for parameter in model.parameters
    ]
    weights = sizes / np.where(scales > 0.0, scales, 1.0)
    return checked(
        verdict,
        accuracy,
        compared=f"the given sensitivities of model {model.name!r} against certified ones, entry "
        "by entry",
        note="" if exact.status == "ok" else f"The reference is {exact.status}.",
        names=names,
        numbers=(given.ravel(), exact.sensitivities.ravel(), bounds.ravel()),
        weights=weights.ravel(),
    )


def _at(model: Model, p: Array) -> Model:
    """The model with other values of the parameters."""
    if p.shape != (model.m,):
        raise SettingError(f"p has shape {p.shape}; model {model.name!r} has ({model.m},).")
    units = [quantity[1] for quantity in model.parameters.values()]
    values = zip(model.parameters, p.tolist(), units, strict=True)
    return replace(model, parameters={name: (value, unit) for name, value, unit in values})
