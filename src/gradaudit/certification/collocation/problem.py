"""A model, compiled for collocation in one precision."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from gradaudit.certification.collocation.stages import Stages
from gradaudit.certification.collocation.vector_field import VectorField, compile_field
from gradaudit.certification.heyoka.precision import DOUBLE, LONG_DOUBLE, Precision, available
from gradaudit.certification.variational import initial_values
from gradaudit.model.definition import Model

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A model, compiled in double and in the target precision, with its initial values.

    Attributes
    ----------
    rough, fine, witness
        The vector field in double, in the target precision, and in another precision than that.
    values, derivatives
        y0 (n,) and dy0/dp (n, m), in the target precision.
    breaks
        Times at which the vector field switches, and an element ends.
    """

    model: Model
    rough: VectorField
    fine: VectorField
    witness: VectorField
    values: Array
    derivatives: Array
    build_seconds: float
    breaks: tuple[float, ...] = ()

    @property
    def precision(self) -> Precision:
        return self.fine.precision


class Compiler:
    """Problems of one model in several precisions, whose fields are compiled once.

    `parts` are the stages of a model with switches.
    """

    def __init__(self, model: Model, parts: Stages | None = None) -> None:
        self.model, self.parts = model, parts
        self._fields: dict[str, VectorField] = {}
        self._initial: dict[str, tuple[Array, Array]] = {}

    def field(self, precision: Precision) -> VectorField:
        """The vector field in a precision.

        Raises
        ------
        TranslationError
            If it has something that has no series.
        """
        if precision.name not in self._fields:
            self._fields[precision.name] = (
                compile_field(self.model, precision)
                if self.parts is None
                else self.parts.compile(precision)
            )
        return self._fields[precision.name]

    def problem(self, precision: Precision, *, noise: bool = True) -> Problem:
        """The model in a precision, with double, or for double long double, as the witness.

        Without `noise` nothing else is compiled for double, which is then its own witness.
        """
        start = time.perf_counter()
        rough, fine = self.field(DOUBLE), self.field(precision)
        witness = rough
        if noise and precision == DOUBLE and available(LONG_DOUBLE):
            witness = self.field(LONG_DOUBLE)
        if precision.name not in self._initial:
            self._initial[precision.name] = initial_values(self.model, precision)
        values, derivatives = self._initial[precision.name]
        return Problem(
            model=self.model,
            rough=rough,
            fine=fine,
            witness=witness,
            values=values,
            derivatives=derivatives,
            build_seconds=time.perf_counter() - start,
            breaks=() if self.parts is None else self.parts.breaks,
        )
