"""Entries of the configuration's `solvers`: a solver, or one with settings of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gradaudit.solvers.registry import get_solver

OPTIONS = ("observe", "dtype", "pid", "root_tolerance", "steps")


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What a stage is told of one entry.

    Attributes
    ----------
    solver
        The solver's name.
    options
        What is otherwise than by default, of `OPTIONS`.
    observe
        How observation times are reached where the options do not say.
    """

    solver: str
    options: Mapping[str, Any]
    observe: str

    @classmethod
    def of(cls, key: str, settings: Mapping[str, Any]) -> Variant:
        """The entry `key`, as the settings of a stage describe it."""
        given = dict(settings.get("variant", {}))
        return cls(solver=given.pop("solver", key), options=given, observe=settings["observe"])

    @property
    def text(self) -> str:
        """The options in words, such as "observe=clip"; empty if there are none."""
        return ", ".join(f"{name}={self.options[name]}" for name in OPTIONS if name in self.options)

    def keywords(self, tightness: float) -> dict[str, Any]:
        """Keywords of `sensitivities`, at a tolerance that is `tightness` times the loosest.

        Equal steps grow in number as the tolerance is tightened, so that the error of a method of
        its order falls like the tolerance: `steps` are those at the loosest.
        """
        keywords = {"observe": self.observe, **self.options}
        if "pid" in keywords:
            keywords["pid"] = tuple(keywords["pid"])
        if "steps" in keywords:
            order = get_solver(self.solver).order
            keywords["steps"] = math.ceil(keywords["steps"] * tightness ** (-1.0 / order))
        return keywords
