"""What a method of computing sensitivities declares of itself; read without JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradaudit.records.results import Sensitivities
    from gradaudit.sensitivity.request import Request


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method of computing sensitivities.

    Attributes
    ----------
    name, label, rank
        What tables and configurations call it, what people call it, and its place among the others.
    description
        What its sensitivities are computed by, as ``config/README.md`` lists it.
    solve
        States and sensitivities for a setting; it imports what is heavy when it is called.
    packages
        Packages that it needs besides those of this project, and must find installed.
    without
        Fields of a setting that it does not have.
    own_solver
        It chooses its steps itself, and ``solver`` is not used.
    stages
        With a solver of its own: about so many evaluations of the vector field in a step.
    solves
        What a step costs, over one of the states alone, as ``(a, b)`` for a + b m with m
        parameters. In reverse mode it is that of one functional.
    controls_tangents
        Every tangent is held to the tolerance by the error test.
    locates_events
        It records the events that it passes; with more than `most_parameters` it takes several
        solves and records none.
    same_without_events
        The method that it repeats where no event matters; it is then left out.
    has_estimates
        It can carry an estimate of its own error along.
    is_probed
        Its estimate along one direction is timed, for the cost of the indicator `probed_error`.
    is_main
        Figures and tables by mechanism have it.
    has_laws
        Scaling laws are fitted to it.
    """

    name: str
    label: str
    rank: int
    description: str
    solve: Callable[[Request], Sensitivities]
    packages: tuple[str, ...] = ()
    without: tuple[str, ...] = ("fd_step",)
    own_solver: bool = False
    stages: int = 0
    solves: tuple[float, float] = (1.0, 1.0)
    controls_tangents: bool = False
    locates_events: bool = False
    most_parameters: int | None = None
    same_without_events: str = ""
    has_estimates: bool = False
    is_probed: bool = False
    is_main: bool = False
    has_laws: bool = False
