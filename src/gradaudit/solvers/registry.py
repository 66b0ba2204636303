"""The solvers by name. To add one, add a line to `SOLVERS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import diffrax
import equinox as eqx
import jax.numpy as jnp
import jax.tree_util as jtu

from gradaudit.errors import SettingError
from gradaudit.solvers import unrolled_erk


@dataclass(frozen=True)
class Solver:
    """A diffrax solver by its class, the order of its solution, and whether it is implicit.

    `fast` is the class that makes the steps of the grid, where that is not `cls`. A solver that is
    not `adaptive` has no error estimate and takes equal steps only.
    """

    cls: type[diffrax.AbstractSolver]
    order: int
    implicit: bool = False
    fast: type[diffrax.AbstractSolver] | None = None
    adaptive: bool = True

    def build(
        self,
        *,
        rtol: Any,
        atol: Any,
        n: int | None,
        scan_kind: str = "lax",
        fast: bool = True,
    ) -> tuple[diffrax.AbstractSolver, diffrax.AbstractSolver]:
        """Two solvers that agree to rounding, differentiable in the mode that `scan_kind` says.

        The first makes the steps of the grid; the second is diffrax's own, compiles sooner, and
        makes the few steps that end at an observation.

        Parameters
        ----------
        rtol, atol
            Tolerances of the root finder of an implicit one.
        n
            The root finder looks at the first `n` components, the states; at all if None.
        scan_kind
            "lax": differentiable in forward mode. "checkpointed": in reverse mode.
        fast
            Whether the first may be another implementation than diffrax's own.
        """
        keywords: dict[str, Any] = {}
        if issubclass(self.cls, diffrax.AbstractRungeKutta):
            keywords["scan_kind"] = scan_kind
        if self.implicit:
            # Diffrax's own choice, where it would take tolerances and norm from the controller.
            keywords["root_finder"] = eqx.tree_at(
                lambda finder: (finder.rtol, finder.atol, finder.norm),
                self.cls.root_finder,
                (rtol, atol, _StateRms(n)),
            )
        own = self.cls(**keywords)
        return (self.fast(**keywords) if fast and self.fast is not None else own), own


class _StateRms:
    """Root mean square over the first n components; hashable, so that it does not retrace."""

    def __init__(self, n: int | None) -> None:
        self.n = n

    def __call__(self, x):
        if self.n is None:
            values = jnp.concatenate([jnp.ravel(leaf) for leaf in jtu.tree_leaves(x)])
        else:
            y = x.y if hasattr(x, "y") else x  # of a large system (y, S), the states
            values = y[: self.n]
        # Newton's method on complex numbers is judged by the real solve that they perturb.
        return jnp.sqrt(jnp.mean(jnp.real(values) ** 2))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _StateRms) and other.n == self.n

    def __hash__(self) -> int:
        return hash((_StateRms, self.n))


SOLVERS = {
    "tsit5": Solver(diffrax.Tsit5, 5, fast=unrolled_erk.Tsit5),
    "dopri8": Solver(diffrax.Dopri8, 8, fast=unrolled_erk.Dopri8),
    "kvaerno5": Solver(diffrax.Kvaerno5, 5, implicit=True),
    "euler": Solver(diffrax.Euler, 1, adaptive=False),
    "heun": Solver(diffrax.Heun, 2, fast=unrolled_erk.Heun),
    "midpoint": Solver(diffrax.Midpoint, 2, fast=unrolled_erk.Midpoint),
    "ralston": Solver(diffrax.Ralston, 2, fast=unrolled_erk.Ralston),
    "bosh3": Solver(diffrax.Bosh3, 3, fast=unrolled_erk.Bosh3),
    "dopri5": Solver(diffrax.Dopri5, 5, fast=unrolled_erk.Dopri5),
    "implicit_euler": Solver(diffrax.ImplicitEuler, 1, implicit=True),
    "kvaerno3": Solver(diffrax.Kvaerno3, 3, implicit=True),
    "kvaerno4": Solver(diffrax.Kvaerno4, 4, implicit=True),
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
