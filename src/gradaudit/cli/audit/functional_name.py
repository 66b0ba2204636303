"""The name of a functional, checked before anything is solved.

Which functionals a model has is known for sure when its solution is: a maximum may lie at an end of
the window, and an event may not happen. From the names of its states, integrands and events follows
which it can have, and a misspelt name is none of these.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradaudit.model.definition import Model
from gradaudit.model.quadratures import integrand_names
from gradaudit.pipeline.names import check_known
from gradaudit.records.catalogue import catalogue

TARGETS = ("exact", "noisy")
WHOLE = ("log_likelihood", "phase_aligned")
"""Families of one functional, which has the family's name."""


def check_functional(model: Model, name: str, kinds: Sequence[str]) -> None:
    """Check that a model can have a functional of that name.

    Parameters
    ----------
    kinds
        The families that an audit evaluates.

    Raises
    ------
    SettingError
        If it cannot: with the names that are possible.
    """
    known = [one for kind in kinds for one in possible(model, kind)]
    if not any(_is(name, one) for one in known) and not _foreign(name, kinds):
        check_known("functional", [name], known)


def possible(model: Model, kind: str) -> list[str]:
    """The names that functionals of a family have, without the number of an event's occurrence."""
    if kind in WHOLE:
        return [kind]
    if kind == "trace_sse":
        return [f"{kind}_{target}" for target in TARGETS]
    if kind == "event_value":
        return [f"{kind}_{name}_{event}" for name in model.observables for event in model.events]
    if kind.startswith("event_"):
        return [f"{kind}_{event}" for event in model.events]
    things = integrand_names(model) if kind == "time_average" else model.observables
    return [f"{kind}_{thing}" for thing in things]


def _is(name: str, one: str) -> bool:
    """Whether a name is that one, or that of one of its occurrences."""
    return name == one or (one.startswith("event_") and name.startswith(f"{one}_"))


def _foreign(name: str, kinds: Sequence[str]) -> bool:
    """Whether it may be of a family of another package, whose names are not known here."""
    families = catalogue("functionals")
    return any(
        name.startswith(kind) and not _of_this_package(families[kind].functionals)
        for kind in kinds
        if kind in families
    )


def _of_this_package(function: object) -> bool:
    return getattr(function, "__module__", "gradaudit").startswith("gradaudit.")
