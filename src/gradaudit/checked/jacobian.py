"""`checked_jacfwd`: a Jacobian for a training loop, with an estimate of its error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import jax.tree_util as jtu
import numpy as np
from jax.flatten_util import ravel_pytree
from numpy.typing import ArrayLike

from gradaudit.analysis.calibration.stepping import limit_of
from gradaudit.backend.jaxpr.branches import FrozenField
from gradaudit.backend.shapes import Count, Parameters, Scalar, States, StatesAtTimes
from gradaudit.checked import calibration
from gradaudit.checked.estimate import (
    UNRESOLVED,
    Estimate,
    by_indicator,
    by_probing,
    by_propagation,
    vanishing,
    widened,
)
from gradaudit.checked.fast_rate import fast_rate
from gradaudit.checked.nondifferentiable import without_derivative
from gradaudit.checked.pytrees import as_floats, from_columns, of_numbers, to_vector
from gradaudit.checked.single_precision import tell_of_casts, tell_of_rounding
from gradaudit.checked.solve import (
    Problem,
    Solved,
    adaptive_solvers,
    in_directions,
    is_implicit,
    solve,
)
from gradaudit.checked.solver_choice import Chosen, with_automatic_solver
from gradaudit.checked.user_functions import told
from gradaudit.checked.warnings import SATURATED, UNCONTROLLED, Warnings
from gradaudit.errors import SettingError, forward_mode_by_name
from gradaudit.model.probe_direction import signs
from gradaudit.sensitivity.request import tolerance
from gradaudit.solvers.tangent_solver import StateAndTangents, TangentArgs

ATOL = 1e-9
CONTROLS = {"full": 1.0, "states": 0.0}
ONCE = (
    "a checked Jacobian cannot be differentiated: its error is controlled and estimated for first "
    "derivatives only. Use .jacobian as a number, or jax.lax.stop_gradient on what goes in."
)


class Stats(NamedTuple):
    """What the solve took, and what was seen on the way; all traced.

    Attributes
    ----------
    steps, accepted, rejected
        Steps of the solver, which carry the states and all tangents.
    indicator
        Largest embedded error of the tangents p_j dy/dp_j in one step, over its tolerance.
    neglected
        Largest share, in an entry of the tangents, of what they lack because a step crossed a jump
        of the vector field, from 0 to 1.
    """

    steps: Count
    accepted: Count
    rejected: Count
    indicator: Scalar
    neglected: Scalar


class CheckedJacobian(NamedTuple):
    """A Jacobian, what it is worth, and what was seen.

    Attributes
    ----------
    value
        What the readout returns.
    jacobian
        As `jax.jacfwd` gives it: the structure of the value, and in it that of p.
    error
        Its estimated error, entry by entry, absolute and not negative. Not calibrated: the
        distance to the Jacobian of a solve that takes two steps for each one.
    raw_relative_error
        Norm of that error over that of the Jacobian of the second solve, both by p_j d/dp_j over
        all entries: a scalar. 0 for a Jacobian that is 0 with an error of 0.
    relative_error
        The same, calibrated: as likely too large as too small, and 1 at most, which means that no
        digit holds.
    interval
        Bounds of the relative error, (low, high), that held in 90 % of the cases in which the truth
        is known, of solves whose steps are limited by the same: the tolerance, stability, an
        implicit method, discontinuities (`gradaudit.analysis.calibration.stepping`).
    warnings
        Booleans; ``.messages()`` outside of jit.
    stats
        Steps and indicator.
    chosen
        Which solver `solver="auto"` is, and why; None where one was given.
    """

    value: Any
    jacobian: Any
    error: Any
    relative_error: Any
    interval: tuple[Any, Any]
    raw_relative_error: Any
    warnings: Warnings
    stats: Stats
    chosen: Chosen | None = None


@with_automatic_solver
def checked_jacfwd(
    readout: Callable[[Any], Any],
    vector_field: Callable[[Any, Any, Any], Any],
    *,
    y0: Any,
    ts: ArrayLike,
    t0: float = 0.0,
    solver: str | diffrax.AbstractSolver = "tsit5",
    rtol: float = 1e-6,
    atol: float | None = None,
    control: Literal["full", "states"] = "full",
    propagate: bool | Literal["probe"] = True,
    wanted: float = 1e-2,
    scale: Any = None,
    dt0: float | None = None,
    dtmax: float | None = None,
    jump_ts: Sequence[float] | None = None,
    branches: bool = True,
    max_steps: int = 100_000,
) -> Callable[[Any], CheckedJacobian]:
    """A function of p that gives ``readout(ys)``, its Jacobian, and the error of that.

    It can be called as it is (it is compiled at the first call), under `jax.jit`, under `jax.vmap`
    over p, and inside of `jax.lax.scan`. It computes in double precision. Below, n is the number of
    states, m that of parameters, T that of observation times.

    Parameters
    ----------
    readout
        A function, in JAX, of the states at `ts`: a pytree like y0 with leading axis T. It returns
        a float, an array, or a pytree of them.
    vector_field
        ``f(t, y, p)``, as in `diffrax.ODETerm`, with p in the place of `args`.
    y0
        The initial state, an array or a pytree of them, or a function of p that returns it.
    ts, t0
        Observation times, not decreasing; the solve ends at the last of them.
    solver
        A name of `gradaudit.solvers.registry.SOLVERS`, or a Runge-Kutta solver of diffrax. "auto"
        is "tsit5", or "rodas5p" where the problem is stiff: a rough solve at the p of the first
        call decides, and ``.chosen`` says what and why. That call is outside of jit, vmap and scan.
    rtol, atol
        Tolerances of the states and of the tangents p_j dy/dp_j, which have the states' units. By
        default `atol` is 1e-9 times the initial size of each state where that is below 1, and times
        the smallest such size where a state begins at 0: what is amplified from a small seed has
        the digits that `rtol` asks for.
    control
        "full": no step is accepted unless the states and every parameter's tangents are good to the
        tolerances. "states": steps from the states alone, as in plain forward AD.
    propagate
        True: carry an estimate of the global error of states and tangents along, a second solve
        that takes two steps for each one (``benchmarks/checked_cost.py`` for the cost). The
        estimate of the Jacobian's error is then what the readout makes of it,
        ``J(y + d) (S + D) - J(y) S``. "probe": carry it along one direction of the parameters,
        which is cheaper where there are many. This tells the size of the error of the whole, not
        which entry is wrong: each is given the same relative error. False: the cheap
        indicator only. The largest embedded error of the tangents in any one step, relative to
        them, is taken for the relative error of the whole Jacobian. This knows nothing of how
        errors add up, grow or decay after that step, nor of the readout: it tells tangents that
        are not controlled (1e-2 and more at every tolerance) from those that are (about rtol), and
        is no estimate of digits.
    wanted
        Relative error above which there is a warning.
    scale
        Typical sizes of the parameters, like p; by default ``|p_j|``, and 1 where p_j = 0.
    dt0, dtmax
        First and longest step. A model that stands still takes ever longer steps and leaps over a
        short stimulus that is to come; `dtmax` below its duration prevents that. By default dt0 is
        0.01, or a thousandth of the window if that is shorter.
    jump_ts
        Fixed times at which the vector field jumps: steps end and begin there.
    branches
        Watch whether the vector field jumps from branch to branch within a step (`where`, `sign`,
        `floor`), and add what the tangents lack then to the estimate
        (`gradaudit.solvers.missed_saltation`). It costs nothing if there is no such thing in the
        vector field.
    max_steps
        A solve that needs more is NaN, with a warning.

    Returns
    -------
    Callable
        Of p, an array or a pytree of floats; it returns a `CheckedJacobian`. To differentiate it
        raises `gradaudit.checked.nondifferentiable.DerivativeError`.

    Raises
    ------
    SettingError
        For settings that are invalid; a solve that fails is a warning, not an exception.
    """
    readout, vector_field = told("readout", readout), told("vector_field", vector_field)
    y0 = told("y0", y0)
    for name, given in (("ts", ts), ("t0", t0), ("jump_ts", jump_ts)):
        tell_of_rounding(given, name)
    times = np.asarray(ts, dtype=np.float64)
    if not np.all(np.isfinite([t0, *times.flat])):
        raise SettingError(f"t0 and ts have to be finite times, not {t0} and {times.tolist()}.")
    if times.ndim != 1 or not len(times) or np.any(np.diff(times) < 0) or times[0] < t0:
        raise SettingError(
            f"ts has to be one or more times from t0 = {t0} on, not decreasing; it is "
            f"{times.tolist()}."
        )
    if not times[-1] > t0:
        raise SettingError(f"the last of ts, {times[-1]}, has to be after t0 = {t0}.")
    if propagate not in (True, False, "probe"):
        raise SettingError(f'unknown propagate {propagate!r}; choose from True, "probe", False.')
    if control not in CONTROLS:
        raise SettingError(f"unknown control {control!r}; choose from {', '.join(CONTROLS)}.")
    rtol = tolerance("rtol", rtol, below=1.0)
    if atol is not None:
        atol = tolerance("atol", atol, below=np.inf)
    adaptive_solvers(solver, rtol=rtol, atol=ATOL if atol is None else atol, n=1)
    window = float(times[-1]) - t0
    smallest = 1e-3 * float(np.finfo(np.float64).eps) * max(abs(t0), abs(float(times[-1])))
    stepping: Any = diffrax.PIDController(
        rtol=rtol, atol=ATOL, dtmin=smallest, dtmax=dtmax, force_dtmin=False
    )
    if jump_ts is not None:
        stepping = diffrax.ClipStepSizeController(stepping, jump_ts=jnp.asarray(jump_ts))

    def flat_problem(p: Any) -> tuple[Any, ...]:
        """p as a vector, y0 as a function of it, field and readout of vectors."""
        vector, unravel = ravel_pytree(p)
        begin = as_floats(y0(p) if callable(y0) else y0, "y0")
        _, unravel_state = ravel_pytree(begin)

        def initial(vector: Parameters) -> States:
            state = y0(unravel(vector)) if callable(y0) else y0
            return ravel_pytree(as_floats(state, "y0"))[0]

        def field(t: Scalar, y: States, vector: Parameters) -> States:
            rates = vector_field(t, unravel_state(y), unravel(vector))
            return to_vector(rates, begin, "what vector_field returns")

        def observe(states: StatesAtTimes) -> Any:
            return as_floats(readout(jax.vmap(unravel_state)(states)), "what readout returns")

        return vector, unravel, initial, field, observe

    @of_numbers("p")
    @jax.jit
    @forward_mode_by_name("one of vector_field, y0 and readout")
    def checked(p: Any) -> CheckedJacobian:
        p = without_derivative(ONCE, as_floats(p, "p"))
        vector, unravel, initial, field, observe = flat_problem(p)
        sizes = jnp.abs(vector) if scale is None else ravel_pytree(as_floats(scale, "scale"))[0]
        sizes = jnp.where(sizes > 0, sizes, 1.0)
        seeds = jnp.diag(sizes)
        start = StateAndTangents(initial(vector), in_directions(initial, vector, seeds))
        solved = solve(
            Problem(field, t0, times[-1], jnp.asarray(times)),
            start,
            TangentArgs.along(vector, seeds, rtol, _sized(start.y) if atol is None else atol),
            solver,
            stepping,
            dt0=min(0.01, 1e-3 * window) if dt0 is None else dt0,
            max_steps=max_steps,
            tangent_weight=CONTROLS[control],
            propagate=bool(propagate),
            direction=jnp.asarray(signs(len(vector))) if propagate == "probe" else None,
            branches=_switching(field, *start.tangents.shape) if branches else None,
        )
        tell_of_casts("y0", initial, vector)
        tell_of_casts("vector_field", field, jnp.asarray(t0, float), start.y, vector)
        tell_of_casts("readout", observe, solved.states)
        jacobian = in_directions(observe, solved.states, solved.tangents)
        tangent_error = solved.indicator * rtol
        if propagate == "probe":
            estimate = by_probing(observe, solved, jacobian, jnp.asarray(signs(len(vector))))
        elif propagate:
            estimate = by_propagation(observe, solved, jacobian)
        else:
            estimate = widened(by_indicator(solved, jacobian, tangent_error), solved)
        estimate = vanishing(observe, solved, jacobian, estimate)
        raw = estimate.relative
        begun = np.append(t0, times), jnp.concatenate([start.y[None], solved.states])
        fast = fast_rate(field, *begun, vector) * window / solved.stats["num_accepted_steps"]
        limit = limit_of(is_implicit(solver), False, solved.neglected > 0.0, fast, jnp)
        likely = calibration.calibrated(raw, propagate, limit)
        value = observe(solved.states)
        warned = _warnings(
            solved,
            value,
            jacobian,
            estimate,
            likely,
            wanted=wanted,
            rtol=rtol,
            tangent_error=tangent_error,
            states_only=control == "states",
        )
        unscaled = partial(_unscaled, sizes=sizes, unravel=unravel)
        return without_derivative(
            ONCE,
            CheckedJacobian(
                value=value,
                jacobian=jtu.tree_map(unscaled, jacobian),
                error=jtu.tree_map(unscaled, estimate.error),
                relative_error=likely.median,
                interval=(likely.low, likely.high),
                raw_relative_error=raw,
                warnings=warned,
                stats=Stats(
                    steps=solved.stats["num_steps"],
                    accepted=solved.stats["num_accepted_steps"],
                    rejected=solved.stats["num_rejected_steps"],
                    indicator=solved.indicator,
                    neglected=solved.neglected,
                ),
            ),
        )

    return checked


def _sized(start: States) -> Any:
    """The default of `atol`, one for each state (n,)."""
    size = jnp.abs(start)
    least = jnp.min(jnp.where(size > 0, size, 1.0), initial=1.0)
    return ATOL * jnp.minimum(jnp.where(size > 0, size, least), 1.0)


def _switching(field: Callable[..., Any], n: int, m: int) -> FrozenField | None:
    """The vector field with each branch chosen explicitly, or None if it has none."""
    frozen = FrozenField(field, n, m)
    return frozen if frozen.switches else None


def _unscaled(columns: Any, *, sizes: Any, unravel: Callable[..., Any]) -> Any:
    """Derivatives by the parameters themselves, in the structure of p."""
    return from_columns(columns / sizes, unravel)


def _warnings(
    solved: Solved,
    value: Any,
    jacobian: Any,
    estimate: Estimate,
    likely: calibration.Likely,
    *,
    wanted: float,
    rtol: float,
    tangent_error: Any,
    states_only: bool,
) -> Warnings:
    out_of_steps = solved.result == diffrax.RESULTS.max_steps_reached
    rough = ~solved.ok & (solved.undifferentiable >= 0)
    finite = jnp.all(jnp.isfinite(ravel_pytree((value, jacobian))[0]))
    # A step that errs by a tenth of what is wanted, and far more than its tolerance allows.
    lost = (tangent_error > 0.1 * wanted) & (solved.indicator > UNCONTROLLED)
    relative = likely.median
    cancelled = relative * estimate.cancellation <= 0.1 * wanted  # the terms are good enough
    # "Not below" is true of NaN, which an estimate may be where the Jacobian is finite.
    inaccurate = solved.ok & ~(relative <= wanted * likely.margin)
    return Warnings(
        failed=~solved.ok & ~out_of_steps & ~rough,
        undifferentiable=rough,
        max_steps=out_of_steps & ~rough,
        not_finite=solved.ok & ~finite,
        switched=solved.ok & (solved.neglected > 0.1 * wanted),
        one_sided=solved.ok & (solved.at_ends > 0.1 * wanted),
        faint=solved.ok & (solved.faint.emerged > 1.0 / UNRESOLVED) & (relative > 0.1 * wanted),
        uncontrolled=solved.ok & lost & states_only,
        saturated=solved.ok & ~(estimate.relative <= SATURATED) & ~cancelled,
        vanishes=solved.ok & estimate.vanishes,
        inaccurate=inaccurate & ~cancelled,
        cancelled=inaccurate & cancelled & (estimate.cancellation < 1.0),
        relative_error=relative,
        raw_error=estimate.relative,
        wanted=jnp.asarray(wanted),
        entry=solved.undifferentiable,
        alarm=jnp.asarray(wanted * likely.margin),
        smallest=solved.faint.smallest,
        lower=1e-3 * rtol * solved.faint.smallest,
        tangent_error=tangent_error,
        neglected=solved.neglected,
        cancellation=estimate.cancellation,
    )
