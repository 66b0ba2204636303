"""What an indicator of a gradient's error declares of itself.

An indicator is a number that is large where the error is, and knows nothing of a reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

if TYPE_CHECKING:
    from gradaudit.evaluation.stored_solves import Cell

Array = NDArray[Any]


class SolveSeen(NamedTuple):
    """A solve, the same at a looser tolerance if there is one, and the size of its states.

    `scale` (N,) is the size of states and integrals.
    """

    cell: Cell
    looser: Cell | None
    scale: Array

    def stored(self, name: str) -> float:
        """A number that the solve was stored with; NaN where it was not."""
        return float(self.cell.data[name]) if name in self.cell.data else math.nan


class RowsSeen(NamedTuple):
    """What a row of the table can be compared with, where it exists.

    `controlled` has error control on the tangents, or is forward AD for a row that has it itself;
    `looser` is the same at a looser tolerance.
    """

    controlled: Any
    looser: Any


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """What can be seen of a gradient's error: of a solve, of estimates, or of two gradients.

    Attributes
    ----------
    name, label, rank
        The column of the tables, what people call it, and its place among the others.
    description
        What it measures.
    cost
        The column of the seconds that a gradient takes together with it; empty where it takes no
        further solve.
    of_solve
        From a solve: all gradients of it share the number.
    of_estimate
        From the estimated change of a gradient in scaled parameters, and the gradient, (m,) each.
    of_rows
        From a row of the table and what it can be compared with.
    seconds
        What is written to the column `cost`, where the solves were not timed for it.
    """

    name: str
    label: str
    rank: int
    description: str
    cost: str = ""
    of_solve: Callable[[SolveSeen], float] | None = None
    of_estimate: Callable[[Array, Array], float] | None = None
    of_rows: Callable[[Any, RowsSeen], float] | None = None
    seconds: Callable[[Any, RowsSeen], float] | None = None
