"""Shooting over short windows: in each window the solution starts again from the data.

Over a long window the tangents of a chaotic or oscillating model grow until neither they nor a
loss over the whole trace mean anything. Where the trace was observed, it can be cut: at the end of
each window the state is set to what was observed there, and so the tangents begin again at 0. A
sum of squares over the trace of such a model is the loss of multiple shooting with its starts held
at the data (Bock 1981, in: Ebert, Deuflhard, Jäger (eds.), Modelling of Chemical Reaction Systems,
Springer, 102-125).

A restart is an event at a fixed time whose jump is constant, so that solvers and the certified
reference need to know nothing of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradaudit.errors import ModelError
from gradaudit.model.definition import Event, Model

Array = NDArray[np.float64]

APART = 1e-4
"""Of the window: an observation is no nearer to a restart."""


def shooting(
    model: Model,
    *,
    data: ArrayLike,
    windows: float | None = None,
    times: ArrayLike | None = None,
) -> Model:
    """The model whose solution starts again from `data` at the end of each window.

    Observations never coincide with a restart, where there would be two states: there are as many
    as `model` has, or a few more. Closed forms of the model are left out, for they are those of
    one window.

    Parameters
    ----------
    model
        A model without events of the names ``restart_1``, ``restart_2``, ...
    data
        States at the restarts, shape (K, n), in the units of the states: plain numbers, which
        depend on no parameter. The first window begins at the initial state of the model.
    windows
        Number of windows of one length, K + 1, a whole number. Either this or `times`.
    times
        Times of the restarts, shape (K,), increasing, strictly inside (0, t_end).

    Raises
    ------
    ModelError
        If neither or both of `windows` and `times` are given, or they or `data` are invalid.
    """
    restarts = _restarts(model, windows, times)
    states = np.atleast_2d(np.asarray(data, dtype=np.float64))
    if states.shape != (len(restarts), model.n) or not np.all(np.isfinite(states)):
        raise ModelError(
            f"model {model.name!r}: data have the shape {states.shape}; they must be finite, with "
            f"a row for each of {len(restarts)} restarts and a column for each of {model.n} states."
        )
    added = {
        f"restart_{k}": _restart(float(time), tuple(map(float, state)))
        for k, (time, state) in enumerate(zip(restarts, states, strict=True), start=1)
    }
    taken = sorted(set(added) & set(model.events))
    if taken:
        raise ModelError(f"model {model.name!r} has events {taken} already.")
    return replace(
        model,
        events={**model.events, **added},
        observations=_observations(model, restarts),
        exact_solution=None,
        exact_sensitivities=None,
    )


def simulated_data(model: Model, windows: float, *, decimals: int = 3) -> Array:
    """Data for `windows` windows of one length: the model's own states there, shape (K, n).

    Each window is solved by SciPy's DOP853 at 1e-11 from the rounded end of the one before it. So
    rounding errors do not grow from one to the next, and the numbers are the same on every machine
    also where a trajectory in one piece could not be, which is what chaos means.

    Parameters
    ----------
    model
        A model without events.
    decimals
        Decimal places that the data have, in the units of the states.
    """
    import jax
    from scipy.integrate import solve_ivp

    from gradaudit.model.quadratures import initial_state

    restarts = _restarts(model, windows, None)
    p = model.nominal
    field = jax.jit(model.vector_field)
    state, rows = np.asarray(initial_state(model, p)), []
    for start, stop in zip([0.0, *restarts], restarts, strict=False):
        solved = solve_ivp(
            lambda t, y: np.asarray(field(t, y, p)),
            (start, stop),
            state,
            method="DOP853",
            rtol=1e-11,
            atol=1e-11,
        )
        state = np.round(solved.y[:, -1], decimals)
        rows.append(state)
    return np.array(rows).reshape(len(restarts), model.n)


def _restarts(model: Model, windows: float | None, times: ArrayLike | None) -> Array:
    """Times of the restarts, (K,)."""
    if (windows is None) == (times is None):
        raise ModelError(f"model {model.name!r}: give either the windows or the times of restarts.")
    if windows is not None:
        if windows != int(windows) or windows < 1:
            raise ModelError(
                f"model {model.name!r}: windows is {windows!r}; it must be a whole number, "
                "at least 1."
            )
        return model.t_end * np.arange(1, int(windows)) / int(windows)
    restarts = np.atleast_1d(np.asarray(times, dtype=np.float64))
    edges = np.concatenate([[0.0], restarts, [model.t_end]])
    if restarts.ndim != 1 or not np.all(np.diff(edges) > 2 * APART * model.t_end):
        raise ModelError(
            f"model {model.name!r}: times of restarts must increase, strictly inside the window "
            f"from 0 to {model.t_end:g}, with at least {2 * APART * model.t_end:g} between them."
        )
    return restarts


def _restart(time: float, state: tuple[float, ...]) -> Event:
    import jax.numpy as jnp

    return Event(
        when=lambda t, y, p: t - time,
        direction=1,
        jump=lambda t, y, p: jnp.stack([jnp.asarray(value) for value in state]),
    )


def _observations(model: Model, restarts: Array) -> int:
    """The smallest number of equidistant observations, none of them at a restart."""
    for count in range(model.observations, 2 * model.observations + 100):
        steps = restarts / model.t_end * (count - 1)
        if not np.any(np.abs(steps - np.round(steps)) < APART * (count - 1)):
            return count
    raise ModelError(
        f"model {model.name!r}: there are too many restarts for observations between them."
    )
