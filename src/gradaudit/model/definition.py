"""What a model is: a vector field in jax.numpy with named states and parameters.

This module imports no JAX, so that tables, figures and the command line can look at a model's
names and units in a moment. What needs tracing is checked in `gradaudit.model.loading`.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradaudit.errors import ModelError, ModelWarning, SettingError, first_few
from gradaudit.model.mechanism import checked
from gradaudit.model.rounded_numbers import from_float32

VectorField = Callable[[Any, Any, Any], Any]
Quantities = Mapping[str, tuple[float, str]]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(@[A-Za-z0-9_.=,+-]+)?\Z")


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happens where ``when(t, y, p)`` crosses zero.

    What happens there is a jump of the state; or a switch of the vector field, written there with
    ``jnp.where``, ``jnp.maximum`` and the like; or nothing, and the event is a marker whose times
    are of interest.

    Attributes
    ----------
    when
        ``g(t, y, p) -> scalar`` in jax.numpy, smooth near its zeros.
    direction
        +1: only where g rises through zero; -1: only where it falls; 0: both.
    jump
        ``R(t, y, p) -> (n,)`` in jax.numpy: the state after the event from that before it.
    priority
        A number, or ``(t, y, p) -> scalar``: of several events at one moment that with the highest
        priority happens first; those without one come last.
    assigns
        Names of the states that the jump sets. If they are given, the jump is evaluated at the
        state at which the event is triggered, before any other event of that moment, and changes
        these states only. Otherwise it is evaluated at the state that the events before it left.
    at_start
        Whether an event that is at its threshold at t = 0, and moves in its direction, happens
        there.

    Notes
    -----
    Events at one moment are those whose functions cross zero together, and those whose functions
    the jumps of others carry across zero. Where their order is not fixed by priorities, the result
    must be the same in every order; otherwise the solve ends with "simultaneous_events".
    """

    when: VectorField
    direction: int = 0
    jump: VectorField | None = None
    priority: float | VectorField | None = None
    assigns: tuple[str, ...] | None = None
    at_start: bool = True


@dataclass(frozen=True, kw_only=True)
class Model:
    """An initial value problem y' = f(t, y, p), y(0) = y0(p), on 0 <= t <= t_end.

    Attributes
    ----------
    name
        Letters, digits, ``_``, ``.`` and ``-``; it names files and rows of tables.
    vector_field
        ``f(t, y, p) -> dy/dt`` in jax.numpy: t scalar, y (n,), p (m,), result (n,), in the
        declared order. It must be pure and traceable, without python branches on t, y or p.
    states, parameters
        ``{name: (initial or nominal value, unit)}``; the order is that of y and p.
    t_end
        End of the window, in `time_unit`.
    initial_state
        ``y0(p) -> (n,)`` in jax.numpy where the initial state depends on the parameters; it
        replaces the values in `states`, and its derivative is the initial sensitivity.
    exact_solution
        ``y(t, p) -> (n,)`` in jax.numpy, the closed form where there is one; its sensitivities
        are its own derivative unless `exact_sensitivities` gives them.
    exact_sensitivities
        ``S(t, p) -> (n, m)`` in jax.numpy, for models whose closed form of S is known by itself.
    observables
        The states that functionals of one state look at; by default the first one.
    integrands
        ``{name: g}`` with ``g(t, y, p) -> scalar`` in jax.numpy: their integrals from 0 to t are
        computed with the accuracy of the solve; by default one for each of `observables`.
    events
        ``{name: Event}``. A threshold at which the vector field switches branches must be among
        them, for the reference and for the method "saltation" to know of it.
    axes
        ``{name: values}``: settings at which the model is worth a look, such as a stiffness, the
        length of the window or the distance to a bifurcation. A name is that of a parameter, a
        state (its initial value) or ``t_end``; or the file has a function ``at(**axes) -> Model``.
        ``load_model("name@axis=value")`` is the model at that setting.
    observations
        Number of equidistant observation times, both ends included.
    mechanism, regime, description, citation
        What the model stands for: a mechanism of `gradaudit.model.mechanism` or "", the regime that
        it predicts ("good", "bad", "horrible" or "" for unknown), a sentence, a source.
    """

    name: str
    vector_field: VectorField
    states: Quantities
    parameters: Quantities
    t_end: float
    time_unit: str = ""
    initial_state: Callable[[Any], Any] | None = None
    exact_solution: Callable[[Any, Any], Any] | None = None
    exact_sensitivities: Callable[[Any, Any], Any] | None = None
    observables: Sequence[str] = ()
    integrands: Mapping[str, VectorField] = field(default_factory=dict)
    events: Mapping[str, Event] = field(default_factory=dict)
    axes: Mapping[str, Sequence[float]] = field(default_factory=dict)
    observations: int = 101
    mechanism: str = ""
    regime: str = ""
    description: str = ""
    citation: str = ""
    source: str = field(default="", compare=False)
    """Path of the file that defines the model, set by `gradaudit.load_model`."""

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and _NAME.match(self.name)):
            raise ModelError(
                f"model name {self.name!r}: use letters, digits, '_', '.' and '-', "
                "beginning with a letter, because it names files."
            )
        if not callable(self.vector_field):
            raise ModelError(f"model {self.name!r}: vector_field must be a function f(t, y, p).")
        for kind in ("states", "parameters"):
            object.__setattr__(self, kind, _quantities(self.name, kind, getattr(self, kind)))
        shared = set(self.states) & set(self.parameters)
        if shared:
            raise ModelError(
                f"model {self.name!r}: {first_few(sorted(shared))} name both a state and a "
                "parameter; rename one."
            )
        if not _is_number(self.t_end) or not math.isfinite(self.t_end) or self.t_end <= 0:
            raise ModelError(
                f"model {self.name!r}: t_end is {self.t_end!r}; "
                "it must be a positive, finite number."
            )
        object.__setattr__(self, "t_end", float(self.t_end))
        _check_events(self.name, self.events, self.states)
        object.__setattr__(self, "axes", _checked_axes(self.name, self.axes))
        if not isinstance(self.observations, int) or self.observations < 2:
            raise ModelError(
                f"model {self.name!r}: observations is {self.observations!r}; "
                "it must be an integer of at least 2."
            )
        if isinstance(self.observables, str):
            object.__setattr__(self, "observables", (self.observables,))
        observables = tuple(self.observables) or (next(iter(self.states)),)
        unknown = [name for name in observables if name not in self.states]
        if unknown:
            raise ModelError(
                f"model {self.name!r}: observables {first_few(unknown)} are no "
                f"states; the states are {first_few(self.states)}."
            )
        object.__setattr__(self, "observables", observables)
        object.__setattr__(self, "mechanism", checked(self.mechanism, model=self.name))
        if self.regime not in ("", "good", "bad", "horrible"):
            raise ModelError(
                f"model {self.name!r}: regime {self.regime!r} must be "
                "'good', 'bad', 'horrible' or ''."
            )

    @property
    def n(self) -> int:
        """Number of states."""
        return len(self.states)

    @property
    def m(self) -> int:
        """Number of parameters."""
        return len(self.parameters)

    @property
    def nominal(self) -> NDArray[np.float64]:
        """Nominal parameters, shape (m,)."""
        return np.array([value for value, _ in self.parameters.values()])

    @property
    def declared_state(self) -> NDArray[np.float64]:
        """The initial values in `states`, shape (n,); `initial_state` replaces them."""
        return np.array([value for value, _ in self.states.values()])

    @property
    def parameter_scale(self) -> NDArray[np.float64]:
        """|p_j|, or 1 where p_j = 0, shape (m,): gradients are compared in these units."""
        p = np.abs(self.nominal)
        return np.where(p == 0.0, 1.0, p)

    @property
    def observable_indices(self) -> tuple[int, ...]:
        """Positions of `observables` among the states."""
        names = list(self.states)
        return tuple(names.index(name) for name in self.observables)

    def assigned_indices(self, event: Event) -> tuple[int, ...] | None:
        """Positions of the states that the jump of an event sets, None if it may set all."""
        names = list(self.states)
        return None if event.assigns is None else tuple(map(names.index, event.assigns))

    @property
    def jumps(self) -> bool:
        """Whether the state jumps at any event."""
        return any(event.jump is not None for event in self.events.values())

    def times(self, times: ArrayLike | None = None) -> NDArray[np.float64]:
        """Observation times, shape (T,): the model's own, or `times` after a check.

        Raises
        ------
        SettingError
            If `times` is empty, not finite, not strictly increasing or outside [0, t_end].
        """
        if times is None:
            return np.linspace(0.0, self.t_end, self.observations)
        try:
            given = np.atleast_1d(np.asarray(times, dtype=np.float64))
        except (TypeError, ValueError):
            given = np.empty(0)
        if given.ndim != 1 or given.size == 0 or not np.all(np.isfinite(given)):
            raise SettingError(
                f"times must be a non-empty list of finite numbers; they are {times!r}."
            )
        if given[0] < 0.0 or given[-1] > self.t_end * (1 + 1e-12):
            raise SettingError(
                f"times must lie within [0, {self.t_end:g}], the window of model {self.name!r}; "
                f"they run from {given[0]:g} to {given[-1]:g}."
            )
        if np.any(np.diff(given) <= 0.0):
            raise SettingError(f"times must be strictly increasing; they are {given.tolist()}.")
        rounded = from_float32(given)
        if rounded.size:
            warnings.warn(
                f"times of {self.name!r} were rounded to float32: one is {float(rounded[0])!r}, "
                f"for {np.float32(rounded[0])!s}. The sensitivities are those at the rounded "
                "times; give them in float64.",
                ModelWarning,
                stacklevel=3,
            )
        return np.minimum(given, self.t_end)


def _check_events(model: str, events: object, states: Quantities) -> None:
    example = "{'bounce': Event(when=lambda t, y, p: y[0], direction=-1, jump=...)}"
    if not isinstance(events, Mapping):
        raise ModelError(f"model {model!r}: events must be a dict such as {example}.")
    for name, event in events.items():
        if not isinstance(event, Event) or not isinstance(name, str):
            raise ModelError(f"model {model!r}: events[{name!r}] is not an Event; write {example}.")
        if not callable(event.when) or not (event.jump is None or callable(event.jump)):
            raise ModelError(
                f"model {model!r}: events[{name!r}]: when, and jump if there is one, must be "
                "functions of (t, y, p)."
            )
        if event.direction not in (-1, 0, 1):
            raise ModelError(
                f"model {model!r}: events[{name!r}] has the direction {event.direction!r}; "
                "it must be -1, 0 or 1."
            )
        if not (event.priority is None or callable(event.priority) or _is_number(event.priority)):
            raise ModelError(
                f"model {model!r}: events[{name!r}] has the priority {event.priority!r}; "
                "write a number, a function of (t, y, p), or leave it out."
            )
        unknown = [state for state in event.assigns or () if state not in states]
        if isinstance(event.assigns, str) or unknown:
            raise ModelError(
                f"model {model!r}: events[{name!r}] assigns {event.assigns!r}; write a tuple of "
                f"names of states, which are {first_few(states)}."
            )


def _checked_axes(model: str, axes: object) -> Mapping[str, tuple[float, ...]]:
    example = '{"mu": (1.0, 10.0, 100.0)}'
    if not isinstance(axes, Mapping):
        raise ModelError(f"model {model!r}: axes must be a dict such as {example}.")
    for name, values in axes.items():
        if not isinstance(values, (tuple, list)) or not all(_is_number(v) for v in values):
            raise ModelError(
                f"model {model!r}: axes[{name!r}] is {values!r}; write numbers, as in {example}."
            )
    return MappingProxyType({str(name): tuple(map(float, v)) for name, v in axes.items()})


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _quantities(model: str, kind: str, given: Quantities) -> Quantities:
    """Check `{name: (value, unit)}` and freeze it."""
    example = '{"V": (-60.0, "mV")}'
    if not isinstance(given, Mapping) or not given:
        raise ModelError(f"model {model!r}: {kind} must be a non-empty dict such as {example}.")
    checked = {}
    for name, entry in given.items():
        if not (isinstance(name, str) and name):
            raise ModelError(f"model {model!r}: {kind} has the name {name!r}; names are strings.")
        if not (isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[1], str)):
            raise ModelError(
                f"model {model!r}: {kind}[{name!r}] is {entry!r}; "
                f"write (value, 'unit'), as in {example}."
            )
        value, unit = entry
        if not _is_number(value) or not math.isfinite(value):
            raise ModelError(
                f"model {model!r}: {kind}[{name!r}] has the value {value!r}, not a finite number."
            )
        checked[name] = (float(value), unit)
    return MappingProxyType(checked)
