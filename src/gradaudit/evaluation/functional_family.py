"""What a family of functionals declares of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from gradaudit.evaluation.functional import AnyFunctional, Context, Functional

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of functionals: one kind of number, of every state, integral or event it suits.

    Attributes
    ----------
    name, label, rank
        What tables and configurations call it, what people call it, and its place among the others.
    value, purpose
        The number in words, and what it is computed for, as ``config/README.md`` lists them.
    group
        The family that theory puts it in.
    functionals
        Those that suit the model of a context.
    of_traces
        Those whose target is a trace that the solver made, from two traces (T, n): that at the same
        tolerance, and that at the loosest.
    naming
        One functional in words, from its name in the tables; by default its name with blanks.
    ranked_label
        What rankings call it, which leave out those of its members whose exact gradient is zero; by
        default its label.
    is_main
        Maps have it, and verdicts by mechanism count it.
    is_inverse_crime
        It can be good for a wrong reason: its target is the solver's own trace.
    """

    name: str
    label: str
    rank: int
    value: str
    purpose: str
    group: str = "others"
    functionals: Callable[[Context], Sequence[AnyFunctional]] | None = None
    of_traces: Callable[[Context, Array, Array], Sequence[Functional]] | None = None
    naming: Callable[[str], str] | None = None
    ranked_label: str = ""
    is_main: bool = False
    is_inverse_crime: bool = False
