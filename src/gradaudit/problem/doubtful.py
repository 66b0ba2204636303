"""What a problem's parameter table most likely does not mean; it is told, and computed as it is."""

from __future__ import annotations

import warnings

import numpy as np

from gradaudit.errors import ModelWarning, first_few
from gradaudit.problem.definition import Problem


def tell_parameters(problem: Problem, file: str) -> None:
    """Warn of parameters that nothing depends on, and of nominal values out of bounds."""
    used = _used(problem)
    idle = [name for name in problem.parameters.names if name not in used]
    if idle:
        _warn(
            f"{file}: {_listed(idle)} in no formula, condition or measurement, and no name of the "
            "model; the derivative is 0. Correct the name, or set estimate to 0."
        )
    known = problem.parameters
    with np.errstate(invalid="ignore"):
        outside = (known.nominal < known.lower) | (known.nominal > known.upper)
    far = [name for name, out in zip(known.names, outside, strict=True) if out]
    if far:
        _warn(
            f"{file}: the nominal value of {first_few(far)} is out of the bounds; it is "
            "taken as it is. Correct it, or the bounds."
        )


def _used(problem: Problem) -> set[str]:
    """Every name that something depends on."""
    used = set(problem.model_ids)
    for observable in problem.observables.values():
        used.update(observable.value.names, observable.noise.names)
    for measurement in problem.measurements:
        used.update(map(str, measurement.overrides.values()))
    for condition in problem.conditions.values():
        used.update(name for formula in condition.formulas for name in formula.names)
        for sources in (condition.model, condition.other, condition.before or {}):
            used.update(str(source) for name, source in sources.items() if name != source)
    return used


def _listed(names: list[str]) -> str:
    return f"{first_few(names)} {'is' if len(names) == 1 else 'are'}"


def _warn(text: str) -> None:
    warnings.warn(text, ModelWarning, stacklevel=4)
