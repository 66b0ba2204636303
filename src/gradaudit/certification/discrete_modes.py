"""Modes of a model with events: the vector field between two events, on one branch of each switch.

Numbers are read in double precision, which suffices to see which side of a threshold a point is
on: where it is close to one, the side is that into which the flow leads.
"""

from __future__ import annotations

from dataclasses import dataclass

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.jaxpr.tracing import trace
from gradaudit.certification.heyoka import elementwise
from gradaudit.certification.heyoka.branch_choices import Switches
from gradaudit.certification.heyoka.interpreter import Interpreter
from gradaudit.certification.heyoka.precision import DOUBLE, Precision
from gradaudit.certification.heyoka.translate import read, state_variables
from gradaudit.errors import TranslationError
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import integrand_names, with_integrals

Mode = tuple[int, ...]
Boundary = tuple[str, hy.expression]
Array = NDArray[np.float64]

AHEAD = 1e-9  # of the window: how far ahead the flow shows the side of a threshold

ROUNDING = 1e-13  # of a state: how far it may be from where it is meant to be
EPS = 4 * float(np.finfo(float).eps)  # of the time, likewise
CLOSER = 1e-2  # of the look ahead: what is not met until then is met by an event
BESIDE = 1e-9  # of the window: rounding moves a change that happens at an event by no more
FAR_SIDE = (0.5, 1.5, 2.0, 4.0)  # of the time from an event to where a change of it is found
SHORT = 1e-6  # of the window: between events so close, a state may stay at two thresholds
LOOKS = (1.0, 1e-1, 1e-2, 1e-3)  # of the look ahead: where something lies in it, it is made shorter


@dataclass(frozen=True)
class Margins:
    """Of a mode at a point, how far it is from where each of its choices would change.

    Attributes
    ----------
    own
        Whether the point itself makes the choices, (C,).
    choices, values
        Of each boundary to which choice it belongs, and its value, (B,).
    rounding, speeds
        How far rounding may move the values, and |d/dt| of them along the flow, (B,).
    """

    own: NDArray[np.bool_]
    choices: NDArray[np.int64]
    values: Array
    rounding: Array
    speeds: Array

    @property
    def at(self) -> NDArray[np.bool_]:
        """Boundaries on which the point is, to rounding, (B,)."""
        return np.abs(self.values) <= self.rounding

    @property
    def contradicted(self) -> bool:
        """Whether the point makes another choice than the mode, and is on no boundary of that."""
        on = np.zeros(len(self.own), dtype=bool)
        on[self.choices[self.at]] = True
        return not bool(np.all(self.own | on))

    def blur(self, choice: int) -> float:
        """By how long rounding may move the change of a choice that changes at the point.

        Negative if the point is on no boundary of the choice.
        """
        some = self.at & (self.choices == choice)
        if not some.any():
            return -1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.nan_to_num(4.0 * self.rounding[some] / self.speeds[some]).max())


class CrowdedError(TranslationError):
    """Switches that are too close to each other to tell what the vector field is between them."""


class SlidingError(TranslationError):
    """The flow on both sides of a threshold leads into it, so that there is no way on."""


class Reader:
    """Reads a model's vector field, of states and integrals, with numbers or expressions."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.size = model.n + len(integrand_names(model))
        self.where = f"model {model.name!r}: vector_field"
        self._jaxpr = trace(with_integrals(model), [None, self.size, model.m], self.where)
        self.places: dict[Mode, list[int]] = {}

    def numbers(self, t: float, z: Array, *, mode: Mode | None = None) -> tuple[Array, Mode]:
        """The rates at a point (N,), and the choices there; or the rates in a given mode."""
        switches = Switches(given=mode)
        point = [float(t), [float(x) for x in z], [float(x) for x in self.model.nominal]]
        rates = read(self._jaxpr, point, Interpreter(DOUBLE, self.where, switches))
        return np.array([float(r) for r in rates]), tuple(switches.taken)

    def rates(
        self, mode: Mode, precision: Precision, parameters: list[hy.expression]
    ) -> tuple[list[hy.expression], list[Boundary]]:
        """The rates in a mode, and the boundaries where one of its choices would change.

        To which choices these belong is kept in `places`.
        """
        switches = Switches(given=mode)
        point = [hy.time, state_variables(self.model), parameters]
        rates = read(self._jaxpr, point, Interpreter(precision, self.where, switches))
        self.places[mode] = switches.places
        return [elementwise.lift(rate) for rate in rates], switches.boundaries

    def margins(self, t: float, z: Array, mode: Mode, slack: float = 0.0) -> Margins:
        """How far a point is from where the choices of a mode change.

        `slack` is how wrong its time may be, besides rounding.
        """
        rates, _ = self.numbers(t, z, mode=mode)
        own, choices, values = self._margins(t, z, mode)
        # The time is right to rounding, and the state to that and to what it does meanwhile.
        reach = ROUNDING * (np.abs(z) + self.model.t_end * np.abs(rates))
        signs = np.where(np.random.default_rng(5).random(len(z)) < 0.5, -1.0, 1.0)
        late = EPS * abs(t) + slack
        moved = [
            self._margins(t + side * late, z + side * way * (reach + slack * np.abs(rates)), mode)[
                2
            ]
            - values
            for side in (-1.0, 1.0)
            for way in (np.sign(rates), signs)
        ]
        step = CLOSER * AHEAD * self.model.t_end
        later = self._margins(t + step, z + step * rates, mode)[2]
        return Margins(
            own=own,
            choices=choices,
            values=values,
            rounding=np.nan_to_num(np.abs(moved).max(axis=0)),
            speeds=np.nan_to_num(np.abs(later - values)) / step,
        )

    def changes_at(
        self, point: tuple[float, Array, float], mode: Mode, choice: int, when: float
    ) -> bool:
        """Whether a change of a choice that was found beside a point is that at the point.

        The point is a time, a state and the slack of the time, and `when` is the other time.
        Rounding moves a zero of a polynomial, so the choice itself is asked: on the far side of
        `when` it has to be that of the mode.
        """
        t, z, slack = point
        aside = when - t
        if abs(aside) > BESIDE * self.model.t_end:
            return False
        blur = self.margins(t, z, mode, slack).blur(choice)
        if abs(aside) <= blur or blur < 0.0:
            return blur >= 0.0
        rates, _ = self.numbers(t, z, mode=mode)
        return all(
            self._margins(t + way, z + way * rates, mode)[0][choice]
            for way in aside * np.array(FAR_SIDE)
        )

    def _margins(
        self, t: float, z: Array, mode: Mode
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64], Array]:
        """Whether a point makes the choices of a mode (C,), and the values of boundaries (B,)."""
        switches = Switches(given=mode, margins=[])
        point = [float(t), [float(x) for x in z], [float(x) for x in self.model.nominal]]
        read(self._jaxpr, point, Interpreter(DOUBLE, self.where, switches))
        found = switches.margins or []
        own = np.array([own for own, _ in found], dtype=bool)
        choices = np.repeat(np.arange(len(found)), [len(values) for _, values in found])
        return own, choices, np.array([value for _, values in found for value in values])

    def mode_at(self, t: float, z: Array) -> Mode:
        """The mode in which the solution goes on from a point.

        A choice is kept if the flow that it makes does not leave it at once; on a threshold, one
        of the two sides is such, or both are and the choice at the point itself is kept. A point
        that is close to a threshold, but by more than rounding, is not on it.

        Raises
        ------
        SlidingError
            If no choice is kept by its own flow.
        """
        return self._mode_ahead(t, z, AHEAD * self.model.t_end)

    def mode_behind(self, t: float, z: Array, slack: float = 0.0) -> Mode:
        """`mode_at` for a moment that is right to rounding, such as that of an event.

        No choice is another one than at the moment itself but where it changes just then: what
        switches behind the moment, be it ever so soon, is left to the solve. `slack` is how wrong
        the time may be, besides rounding.

        Raises
        ------
        SlidingError
            If no choice is kept by its own flow.
        CrowdedError
            If a choice changes just then, and which one follows is not seen before others change.
        """
        for look in LOOKS:
            step = look * AHEAD * self.model.t_end
            mode = self._mode_ahead(t, z, step)
            here = self.margins(t, z, mode, slack)
            if here.contradicted or (here.at.any() and self._skips(t, z, mode, look, slack)):
                continue
            if look == LOOKS[0]:
                return mode
            rates, _ = self.numbers(t, z, mode=mode)
            ahead = self.margins(t + step, z + step * rates, mode, slack)
            if ahead.own.all() and not (here.at & ahead.at).any():
                return mode
        _, mode = self.numbers(t, z)
        if not self.margins(t, z, mode, slack).at.any():
            return mode
        raise CrowdedError(
            f"{self.where}: about t = {t:.6g} the vector field switches more than once within "
            f"{AHEAD * LOOKS[-1]:g} of the window, too soon to tell which branches it takes."
        )

    def _skips(self, t: float, z: Array, mode: Mode, look: float, slack: float) -> bool:
        """Whether a mode is that at the end of a look, and another one is on the way there.

        A point on a boundary contradicts none of the two sides, so shorter looks have to.
        """
        rates, _ = self.numbers(t, z, mode=mode)
        ways = [k * AHEAD * self.model.t_end for k in LOOKS if k < look]
        return any(self._strays(t + way, z + way * rates, mode, slack) for way in ways)

    def _strays(self, t: float, z: Array, mode: Mode, slack: float = 0.0) -> bool:
        """Whether a point is in another mode than it is said to be, by more than rounding."""
        if self._margins(t, z, mode)[0].all():
            return False
        return self.margins(t, z, mode, slack).contradicted

    def verify(self, t: float, z: Array, mode: Mode, length: float = np.inf) -> None:
        """Refuse a mode that a point well within a stretch of it does not show.

        `length` is that of the stretch, if an event ends it.

        Raises
        ------
        CrowdedError
            If the point makes another choice, or if the stretch is so short that it makes none.
        """
        if not np.all(np.isfinite(z)):
            return
        fits = bool(self._margins(t, z, mode)[0].all())
        if fits and length < SHORT * self.model.t_end:
            here = self.margins(t, z, mode)
            fits = not (here.at & (here.rounding > 0.0)).any()  # what stays at 0 does not switch
        if not fits:
            raise CrowdedError(
                f"{self.where}: about t = {t:.12g} it is on other branches than were found behind "
                "the last event, or the start, or on thresholds of them. Something switches too "
                "close to there, or leaves a threshold too slowly, to tell which branches follow."
            )

    def _mode_ahead(self, t: float, z: Array, step: float) -> Mode:
        """The mode whose own flow keeps it for so long."""
        rates, here = self.numbers(t, z)
        reach = ROUNDING * np.abs(z) * np.sign(rates)
        mode = here
        for _ in range(1 + len(mode)):
            ahead = self.numbers(t + step, z + step * rates)[1]
            if ahead == mode:
                return mode
            if mode == here and self.numbers(t + EPS * abs(t), z + reach)[1] == here:
                inside = step * CLOSER
                if self.numbers(t + inside, z + inside * rates)[1] == here:
                    return here  # the threshold lies ahead, and is met by the solve
            mode = ahead
            rates, _ = self.numbers(t, z, mode=mode)
        raise SlidingError(
            f"{self.where}: at t = {t:.6g} the flow on both sides of a threshold leads into it. "
            "The solution slides along the threshold, which is not an ordinary differential "
            "equation of this form; make the switch smooth."
        )
