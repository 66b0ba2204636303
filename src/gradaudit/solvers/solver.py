"""What a solver declares of itself; read without JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import diffrax

ScanKind = Literal["lax", "checkpointed"]
"""In which mode the loop over stages is differentiable: forward, or reverse."""


class Classes(NamedTuple):
    """Classes of diffrax: the solver, and the one that makes the steps of the grid, if another."""

    own: type[diffrax.AbstractSolver]
    fast: type[diffrax.AbstractSolver] | None = None


@dataclass(frozen=True, kw_only=True)
class Solver:
    """A solver of diffrax.

    Attributes
    ----------
    name, label, rank
        What tables and configurations call it, what people call it, and its place among the others.
    description
        The method in words.
    order
        Of its solution.
    stages
        Evaluations of the vector field in a step, or systems of equations that it solves; 0 where
        they are about as many as its order.
    classes
        Returns its classes; it imports diffrax when it is called.
    implicit
        Its steps need the solution of equations.
    adaptive
        It has an error estimate; without one it takes equal steps only.
    stage_work
        Evaluations of the vector field that a stage is counted with; None for the usual number of
        an explicit or an implicit one.
    audited_to
        The tightest tolerance of `gradaudit audit` where none is asked for, 0 for the one of the
        command; None where the solver is audited on request only.
    """

    name: str
    label: str
    rank: int
    description: str
    order: int
    classes: Callable[[], Classes]
    stages: int = 0
    implicit: bool = False
    adaptive: bool = True
    stage_work: float | None = None
    audited_to: float | None = None

    @property
    def cls(self) -> type[diffrax.AbstractSolver]:
        """Its class in diffrax."""
        return self.classes().own

    @property
    def fast(self) -> type[diffrax.AbstractSolver] | None:
        """The class that makes the steps of the grid, where that is not `cls`."""
        return self.classes().fast

    def build(
        self,
        *,
        rtol: Any,
        atol: Any,
        n: int | None,
        scan_kind: ScanKind = "lax",
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
        import diffrax

        classes = self.classes()
        keywords: dict[str, Any] = {}
        if issubclass(classes.own, diffrax.AbstractRungeKutta):
            keywords["scan_kind"] = scan_kind
        if issubclass(classes.own, diffrax.AbstractImplicitSolver):
            from gradaudit.solvers.root_finder import root_finder

            keywords["root_finder"] = root_finder(classes.own, rtol, atol, n)
        own = classes.own(**keywords)
        return (classes.fast(**keywords) if fast and classes.fast is not None else own), own
