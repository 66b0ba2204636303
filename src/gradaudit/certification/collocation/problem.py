"""A model, compiled for collocation in one precision."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.collocation.signals import Signals, compile_signals
from gradaudit.certification.collocation.stages import stages
from gradaudit.certification.collocation.vector_field import (
    VectorField,
    compile_field,
    compile_mode,
)
from gradaudit.certification.discrete_modes import Mode, Reader, SlidingError
from gradaudit.certification.heyoka.precision import DOUBLE, LONG_DOUBLE, Precision, available
from gradaudit.certification.saltation import compile_effect
from gradaudit.certification.variational import initial_values
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state
from gradaudit.model.switch_coincidence import Coincidence

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
    modes
        The fields of a model with other events, of which those above are the first; None without.
    """

    model: Model
    rough: VectorField
    fine: VectorField
    witness: VectorField
    values: Array
    derivatives: Array
    build_seconds: float
    breaks: tuple[float, ...] = ()
    modes: Modes | None = None

    @property
    def precision(self) -> Precision:
        return self.fine.precision


class Compiler:
    """Problems of one model in several precisions, whose fields are compiled once.

    Switches at fixed times are stages of one field, and a model with other events has one field for
    each mode that a solve meets.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.parts = stages(model) if model.events else None
        self._fields: dict[tuple[str, Mode], VectorField] = {}
        self._initial: dict[str, tuple[Array, Array]] = {}
        self._modes: dict[tuple[str, bool], Modes] = {}
        self._signals: dict[Mode, Signals] = {}

    @property
    def hybrid(self) -> bool:
        """Whether there are events whose times are found on the way."""
        return bool(self.model.events) and self.parts is None

    @cached_property
    def reader(self) -> Reader:
        """Of the modes of a model with events."""
        return Reader(self.model)

    @cached_property
    def coincidence(self) -> Coincidence:
        """Of events and switches."""
        return Coincidence(self.model)

    def field(self, precision: Precision, mode: Mode = ()) -> VectorField:
        """The vector field in a precision, and in a mode of a model with events.

        Raises
        ------
        TranslationError
            If it has something that has no series.
        """
        key = precision.name, mode
        if key not in self._fields:
            if self.hybrid:
                self._fields[key] = compile_mode(self.reader, mode, precision)
            elif self.parts is None:
                self._fields[key] = compile_field(self.model, precision)
            else:
                self._fields[key] = self.parts.compile(precision)
        return self._fields[key]

    def signals(self, mode: Mode) -> Signals:
        """Event functions, and boundaries of a mode."""
        if mode not in self._signals:
            self._signals[mode] = compile_signals(self.reader, mode)
        return self._signals[mode]

    def modes(self, precision: Precision, *, noise: bool) -> Modes:
        """The modes of a model with events in a precision."""
        key = precision.name, noise
        if key not in self._modes:
            self._modes[key] = Modes(self, precision, noise=noise)
        return self._modes[key]

    def problem(self, precision: Precision, *, noise: bool = True) -> Problem:
        """The model in a precision, with double, or for double long double, as the witness.

        Without `noise` nothing else is compiled for double, which is then its own witness.
        """
        start = time.perf_counter()
        if precision.name not in self._initial:
            self._initial[precision.name] = initial_values(self.model, precision)
        values, derivatives = self._initial[precision.name]
        modes = self.modes(precision, noise=noise) if self.hybrid else None
        rough, fine, witness = (
            self.three(precision, noise=noise) if modes is None else modes.start().fields
        )
        return Problem(
            model=self.model,
            rough=rough,
            fine=fine,
            witness=witness,
            values=values,
            derivatives=derivatives,
            build_seconds=time.perf_counter() - start,
            breaks=() if self.parts is None else self.parts.breaks,
            modes=modes,
        )

    def three(
        self, precision: Precision, mode: Mode = (), *, noise: bool
    ) -> tuple[VectorField, VectorField, VectorField]:
        """The field in double, in a precision, and as the witness of that."""
        rough, fine = self.field(DOUBLE, mode), self.field(precision, mode)
        other = noise and precision == DOUBLE and available(LONG_DOUBLE)
        return rough, fine, self.field(LONG_DOUBLE, mode) if other else rough


class Modes:
    """The equations of a model with events in one precision, mode by mode.

    Attributes
    ----------
    effects
        Of its events.
    slides
        Whether a solution cannot leave the threshold on which it starts.
    """

    def __init__(self, compiler: Compiler, precision: Precision, *, noise: bool) -> None:
        self.compiler, self.model, self.precision = compiler, compiler.model, precision
        self.reader, self.noise = compiler.reader, noise
        self.effects = {
            name: compile_effect(self.model, name, event, precision)
            for name, event in self.model.events.items()
        }
        self.coincidence = compiler.coincidence
        self._parts: dict[Mode, Part] = {}
        self.slides = False

    def segment(self, mode: Mode) -> Part:
        """The equations in a mode, compiled when it is first met."""
        if mode not in self._parts:
            fields = self.compiler.three(self.precision, mode, noise=self.noise)
            self._parts[mode] = Part(mode, fields, self.compiler.signals(mode))
        return self._parts[mode]

    def start(self) -> Part:
        """The equations in the mode of the initial state."""
        z = np.zeros(self.reader.size)
        z[: self.model.n] = np.asarray(initial_state(self.model, self.model.nominal))
        try:
            return self.segment(self.reader.mode_behind(0.0, z))
        except SlidingError:
            self.slides = True
            return self.segment(self.reader.numbers(0.0, z)[1])


@dataclass(frozen=True)
class Part:
    """The equations in one mode.

    Attributes
    ----------
    fields
        In double, in the precision of the solve, and the witness.
    """

    mode: Mode
    fields: tuple[VectorField, VectorField, VectorField]
    signals: Signals

    def rates(self, t: Any, z: Array, p: Array) -> Array:
        """f(t, z, p), (N,), as an array of objects."""
        fine = self.fields[1]
        point: Array = np.empty((1 + fine.n + fine.m, 1), dtype=fine.precision.fp_type)
        point[:, 0] = [t, *z[: fine.n], *p]
        return np.array(list(fine.rates(point)[0]), dtype=object)
