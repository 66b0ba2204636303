"""One file per family of functionals; what several of them share lies one folder up.

A module declares ``FAMILY``, a `gradaudit.evaluation.functional_family.Family`,
and is discovered in this folder.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradaudit.evaluation.functional import (
    AnyFunctional,
    Context,
    EventFunctional,
    Functional,
)
from gradaudit.evaluation.functional_family import Array, Family
from gradaudit.evaluation.occurrences import EventTable
from gradaudit.records.catalogue import catalogue

__all__ = [
    "KINDS",
    "AnyFunctional",
    "Context",
    "EventFunctional",
    "EventTable",
    "Functional",
    "all_functionals",
    "families",
    "to_own_traces",
]


def families() -> Mapping[str, Family]:
    """Every family by name, in the order in which they are shown."""
    return catalogue("functionals")


def all_functionals(context: Context) -> list[AnyFunctional]:
    """Every functional that suits the model of `context`, of the kinds in its settings.

    In the order of the settings. Those of `to_own_traces` are missing: they need a solver's trace.
    """
    return [
        functional
        for family in _asked(context)
        if family.functionals is not None
        for functional in family.functionals(context)
    ]


def to_own_traces(context: Context, same: Array, loosest: Array) -> list[Functional]:
    """The functionals, of the kinds in the settings, whose target is a trace of the solver.

    Parameters
    ----------
    same, loosest
        The states (T, n) that the solver made at the same and at the loosest tolerance.
    """
    return [
        functional
        for family in _asked(context)
        if family.of_traces is not None
        for functional in family.of_traces(context, same, loosest)
    ]


def _asked(context: Context) -> list[Family]:
    known = families()
    return [known[kind] for kind in context.settings.get("kinds", known) if kind in known]


KINDS: Mapping[str, Family] = families()
"""Every family by name: what the catalogue of functionals has."""
