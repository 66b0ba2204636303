"""What a solve returns: plain arrays with the words and numbers that belong to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy.typing import NDArray

Array = NDArray[np.float64]


class EventRecord(NamedTuple):
    """One event that happened, with what it looked like just before it.

    Numbers are float64, or of the precision in which a reference is computed.

    Attributes
    ----------
    name
        The event's name in the model.
    time, slope
        Its time tau, and dtau/dp (m,).
    state, tangents
        States and integrals (N,), and their sensitivities at that fixed time (N, m).
    rate
        dy/dt (N,), so that a state at the event has the derivative ``tangents + rate slope``.
    """

    name: str
    time: Any
    slope: Shaped[np.ndarray, "m"]
    state: Shaped[np.ndarray, "N"]
    tangents: Shaped[np.ndarray, "N m"]
    rate: Shaped[np.ndarray, "N"]


class Estimates(NamedTuple):
    """Estimated errors, as the distance to a perturbed solve: `gradaudit.solvers.global_error`.

    Attributes
    ----------
    states, sensitivities
        Of states and integrals (T, N), and of their sensitivities (T, N, m).
    events
        Those of the perturbed solve, one for each event of the solve.
    """

    states: Float[np.ndarray, "T N"]
    sensitivities: Float[np.ndarray, "T N m"]
    events: tuple[EventRecord, ...] = ()


class Digits(np.float64):
    """Significant decimal digits that hold: a number, the minimum, with the digits of every entry.

    Attributes
    ----------
    per_entry
        Digits of every entry, shape (T, n, m); NaN where an entry is negligible.
    """

    per_entry: Array

    def __new__(cls, per_entry: Array, of_none: float = 0.0) -> Digits:
        """`of_none` is the number where all entries are negligible."""
        held = per_entry[np.isfinite(per_entry)]
        self = super().__new__(cls, held.min() if held.size else of_none)
        self.per_entry = per_entry
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """How a copy in another process has the digits of the entries, too."""
        return type(self), (self.per_entry, float(self))

    @property
    def by_state(self) -> Array:
        """The least of each state (n,), so that one hopeless entry does not hide the others."""
        return self._least(1)

    @property
    def by_parameter(self) -> Array:
        """The least of each parameter (m,); NaN where all its entries are negligible."""
        return self._least(2)

    def _least(self, axis: int) -> Array:
        others = tuple(k for k in range(self.per_entry.ndim) if k != axis)
        least: Array = np.fmin.reduce(self.per_entry, axis=others, initial=np.inf)
        return np.where(np.isinf(least), np.nan, least)


@dataclass(frozen=True, kw_only=True)
class Extended:
    """States and sensitivities in long double, for what cancels between them.

    Attributes
    ----------
    states, sensitivities
        Shapes (T, n) and (T, n, m), in long double.
    state_bounds, sensitivity_bounds
        Bounds of their absolute errors, of the same shapes, infinite where nothing is certified.
    quad
        The same in quad precision, numbers of heyoka, where a solve of that precision is behind
        them: bounds of these are not enlarged by rounding to long double. None without one.
    """

    states: NDArray[Any]
    sensitivities: NDArray[Any]
    state_bounds: Array
    sensitivity_bounds: Array
    quad: Extended | None = None


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Intervals that hold the exact states and sensitivities, by a validated integrator.

    They hold for the model with exactly the doubles that its file has. An interval is infinite
    where nothing is proven.

    Attributes
    ----------
    states_lower, states_upper
        Ends of the intervals, (T, n).
    sensitivities_lower, sensitivities_upper
        The same of the sensitivities, (T, n, m).
    digits, state_digits
        Significant decimal digits of the reference's float64 sensitivities and states that the
        intervals prove, see `Digits`.
    status
        "ok" where all times have intervals, else "not proven" or "proven until", and why; or
        "contradiction" and of which entry, if the reference disagrees with its proof.
    seconds
        The time that it took.
    """

    states_lower: Float[np.ndarray, "T n"]
    states_upper: Float[np.ndarray, "T n"]
    sensitivities_lower: Float[np.ndarray, "T n m"]
    sensitivities_upper: Float[np.ndarray, "T n m"]
    digits: Digits
    state_digits: Digits
    status: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Certified states and sensitivities.

    Attributes
    ----------
    times, states, sensitivities
        Shapes (T,), (T, n), (T, n, m).
    integrals, integral_sensitivities
        Integrals from 0 to t of the model's integrands, shapes (T, k) and (T, k, m).
    digits
        Significant decimal digits of `sensitivities` that hold, see `Digits`.
    status
        "ok" where the digits asked for are certified, else why not.
    rungs
        One record a rung of the precision ladder: method, precision, tolerance, steps or elements,
        seconds, digits; and "why" in the first, why its method was chosen.
    events
        The events that happened, in order.
    extended
        The same states and sensitivities without rounding to float64, and bounds of their errors;
        None in what is read from a file.
    proof
        Intervals that hold the exact values, and proven digits; None where nobody asked for them.
    """

    times: Float[np.ndarray, "T"]
    states: Float[np.ndarray, "T n"]
    sensitivities: Float[np.ndarray, "T n m"]
    integrals: Float[np.ndarray, "T k"]
    integral_sensitivities: Float[np.ndarray, "T k m"]
    digits: Digits
    integral_digits: Digits
    state_digits: Digits
    status: str
    rungs: tuple[dict[str, Any], ...] = ()
    events: tuple[EventRecord, ...] = ()
    extended: Extended | None = None
    proof: Proof | None = None


@dataclass(frozen=True, kw_only=True)
class Sensitivities:
    """States and sensitivities by one solver, method and tolerance.

    Arrays of a solve that failed are NaN, and `status` says why.

    Attributes
    ----------
    times, states, sensitivities
        Shapes (T,), (T, n), (T, n, m).
    integrals, integral_sensitivities
        Shapes (T, k) and (T, k, m).
    indicator, indicators
        The reference-free indicator, and all of them by name.
    status
        "ok", or what happened instead ("max_steps", "non_finite", "step_underflow", ...).
    stats
        "steps", "accepted", "rejected", and "seconds" of the warm solve.
    chunk_states, chunk_integrals, chunk_of
        Where the parameters are propagated in chunks that each have a grid, and so states, of
        their own (dual norm): shapes (C, T, n), (C, T, k), and the chunk of every
        parameter (m,).
    events
        The events that happened, in order.
    estimates
        Estimated errors, where they were asked for.
    one_sided
        Parameters whose derivatives at an observation exist from one side only, as an event or a
        switch that they move is there, or at an end of the window; the right-hand one is given.
    solver, solver_why
        What solved it, and why that was chosen where the solver was to be "auto".
    """

    times: Float[np.ndarray, "T"]
    states: Float[np.ndarray, "T n"]
    sensitivities: Float[np.ndarray, "T n m"]
    integrals: Float[np.ndarray, "T k"]
    integral_sensitivities: Float[np.ndarray, "T k m"]
    indicator: float
    status: str
    stats: dict[str, float]
    indicators: dict[str, float] = field(default_factory=dict)
    chunk_states: Float[np.ndarray, "C T n"] | None = None
    chunk_integrals: Float[np.ndarray, "C T k"] | None = None
    chunk_of: Int[np.ndarray, "m"] | None = None
    events: tuple[EventRecord, ...] = ()
    estimates: Estimates | None = None
    one_sided: tuple[str, ...] = ()
    solver: str = ""
    solver_why: str = ""

    def __repr__(self) -> str:
        """One line: how it ended, what it holds."""
        steps = f", {self.stats['steps']:.0f} steps" if "steps" in self.stats else ""
        by = f", {self.solver}" if self.solver else ""
        estimated = ", with estimates" if self.estimates is not None else ""
        return (
            f"<Sensitivities: {self.status}{by}{steps}; times {self.times.shape}, states "
            f"{self.states.shape}, sensitivities {self.sensitivities.shape}{estimated}>"
        )
