"""The solvers by name. To add one, add a line to `SOLVERS`."""

from __future__ import annotations

from dataclasses import dataclass

import diffrax
import jax.numpy as jnp

from gradaudit import explicit
from gradaudit.errors import SettingError


@dataclass(frozen=True)
class Solver:
    """A diffrax solver by its class, the order of its solution, and whether it is implicit.

    `fast` is the class that makes the steps of the grid, where that is not `cls`.
    """

    cls: type[diffrax.AbstractRungeKutta]
    order: int
    implicit: bool = False
    fast: type[diffrax.AbstractRungeKutta] | None = None

    def build(
        self, *, rtol, atol, n: int
    ) -> tuple[diffrax.AbstractRungeKutta, diffrax.AbstractRungeKutta]:
        """Two solvers, differentiable in forward mode, that agree to rounding.

        The first makes the steps of the grid; the second is diffrax's own, compiles sooner, and
        makes the few steps that end at an observation. The root finder of an implicit one has the
        tolerances of the step controller, which is diffrax's default, and looks at the first `n`
        components, the states.
        """
        keywords = {"scan_kind": "lax"}
        if self.implicit:
            norm = _StateRms(n)
            keywords["root_finder"] = diffrax.VeryChord(rtol=rtol, atol=atol, norm=norm)
        own = self.cls(**keywords)
        return (own if self.fast is None else self.fast(**keywords)), own


class _StateRms:
    """Root mean square over the first n components; hashable, so that it does not retrace."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __call__(self, x):
        y = x.y if hasattr(x, "y") else x  # of a large system (y, S), the states
        return jnp.sqrt(jnp.mean(y[: self.n] ** 2))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _StateRms) and other.n == self.n

    def __hash__(self) -> int:
        return hash((_StateRms, self.n))


SOLVERS = {
    "tsit5": Solver(diffrax.Tsit5, 5, fast=explicit.Tsit5),
    "dopri8": Solver(diffrax.Dopri8, 8, fast=explicit.Dopri8),
    "kvaerno5": Solver(diffrax.Kvaerno5, 5, implicit=True),
}


def get_solver(name: str) -> Solver:
    """The solver of that name.

    Raises
    ------
    SettingError
        If there is none.
    """
    try:
        return SOLVERS[name]
    except KeyError:
        raise SettingError(
            f"unknown solver {name!r}; the solvers are {', '.join(SOLVERS)}."
        ) from None
