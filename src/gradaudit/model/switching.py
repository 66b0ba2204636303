"""Whether a vector field switches branches, and the field with each branch chosen explicitly."""

from __future__ import annotations

from gradaudit.backend.jaxpr.branches import FrozenField
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import integrand_names, with_integrals


def switches(model: Model) -> bool:
    """Whether the vector field of a model, or an integrand, switches branches anywhere."""
    return branching(model) is not None


def branching(model: Model) -> FrozenField | None:
    """States and integrals with their branches chosen explicitly, if there are any."""
    size = model.n + len(integrand_names(model))
    field = FrozenField(with_integrals(model), size, model.m)
    return field if field.switches else None
