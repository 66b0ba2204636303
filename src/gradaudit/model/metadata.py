"""What later stages need to know of a model, as JSON: they read it without importing JAX."""

from __future__ import annotations

import json
from typing import Any

from gradaudit.model.definition import Model
from gradaudit.model.quadratures import integrand_names


def describe(model: Model, key: str) -> str:
    """Names, units, nominal values and what the model stands for, as JSON in the declared order."""
    facts: dict[str, Any] = {
        "key": key,
        "name": model.name,
        "states": {name: unit for name, (_, unit) in model.states.items()},
        "parameters": {name: list(entry) for name, entry in model.parameters.items()},
        "parameter_scale": model.parameter_scale.tolist(),
        "t_end": model.t_end,
        "time_unit": model.time_unit,
        "observables": list(model.observables),
        "integrals": integrand_names(model),
        "events": list(model.events),
        "mechanism": model.mechanism,
        "regime": model.regime,
        "description": model.description,
        "citation": model.citation,
    }
    return json.dumps(facts, ensure_ascii=False)
