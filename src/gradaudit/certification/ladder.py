"""The certified reference: climb precisions and tolerances until enough digits agree."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from gradaudit.certification import certificate
from gradaudit.certification.choice import COLLOCATION, TAYLOR, choose
from gradaudit.certification.climb import (
    Climb,
    JumpedOverError,
    Lacking,
    TimeIsOverError,
)
from gradaudit.certification.collocation.rungs import QUAD_CAUTION, Collocation
from gradaudit.certification.heyoka.precision import (
    DOUBLE,
    LONG_DOUBLE,
    QUAD,
    Precision,
    available,
    multiple,
    to_float64,
)
from gradaudit.certification.hybrid_system import Hybrid
from gradaudit.certification.idle_jumps import tell_idle_jumps
from gradaudit.certification.memory import Memory
from gradaudit.certification.proof.comparison import proven
from gradaudit.certification.proof.process import check_installed
from gradaudit.certification.time_needed import needed, rounded
from gradaudit.certification.variational import Progress, Solution, Variational
from gradaudit.errors import SettingError, TranslationError
from gradaudit.model.definition import Model
from gradaudit.model.derivative_check import along_the_solution
from gradaudit.model.loading import SBML_SUFFIXES, load_model
from gradaudit.model.quadratures import initial_state
from gradaudit.records.numbers import rounded_down
from gradaudit.records.results import Reference

NEGLIGIBLE = 1e-3
USEFUL = 10.0  # digits, of which an uncertified reference says how far they hold
TIME_LIMIT = 600.0  # s, where none is given
LEAST_SHARE = 0.1  # of the time, for solves, however long the model took to load
FIRST_SHARE = 0.6  # of the time, for the method that begins, if the other could follow
WORTH_A_START = 0.25  # of the time: with less left, the other method would not come to an end
ANYWAY = 9.0  # digits, with which another method is not tried by who says what is lacking
UNBOUNDED = 1e8  # times the initial values: a solution that ends there has no longer window
OUT_OF_TIME = ("time limit", "time_limit", "max_steps")
DOUBLE_TOLERANCE = 2.2e-16
LONG_DOUBLE_TOLERANCES = (1e-20, 1e-21, 3e-20, 1e-22, 1.1e-19, 1e-23)  # of other orders and grids
DOUBLE_FIRST_STEPS = (0.3, 0.1)  # of the first output time, for other rounding errors
MULTIPLE_BITS, MULTIPLE_TOLERANCES = 237, (1e-45, 1e-60)


def reference(
    model: Model | str | Path,
    times: ArrayLike | None = None,
    *,
    digits: float = 12.0,
    negligible: float = NEGLIGIBLE,
    time_limit: float | None = None,
    method: str | None = None,
    proof: bool = False,
    progress: Progress | None = None,
    lacking: Lacking | None = None,
    memory: Memory | None = None,
) -> Reference:
    """States and sensitivities with a certificate of how many digits of S hold.

    One of two methods begins, by a cheap look at the problem, and ``.rungs`` says which and why: an
    explicit Taylor method, or implicit collocation for what is stiff or large. If time ends the
    first, the other one follows, and the better result is returned.

    The cheapest rung that certifies `digits` is returned. A rung is certified by its disagreement
    with another that does not share its error: a solve of another precision, which bounds the
    error of the coarser of the two although the finer is returned; or, in long double, five
    more solves of other orders together with the measured rounding errors of double.

    Parameters
    ----------
    model
        A model, the name of one of the library's, or the path of a file.
    times
        Observation times, by default the model's.
    digits
        Significant decimal digits of S to certify, at most 15.6; infinite where `lacking` decides.
    negligible
        Entries of S below this share of their parameter's largest need no digits and are NaN in
        ``.digits.per_entry``: see `gradaudit.certification.certificate.entry_thresholds`.
    time_limit
        Seconds for the whole ladder, by default ten minutes; then the best result so far is
        returned, with its honest digits and a status that begins with "uncertified".
    method
        "taylor" or "collocation" to have that one alone; None chooses.
    proof
        Whether to enclose the solution with CAPD, too, of the extra "proof": ``.proof`` has the
        intervals and the digits that they prove. It may take `time_limit` once more. What CAPD
        cannot enclose, such as jumps and switches, is told in ``.proof.status``.
    progress
        Called as ``progress(fraction, text)`` now and then in long solves.
    lacking
        Called with ``.extended`` of every rung that is certified. Where it is precise enough, None,
        that is returned, however many digits it has. Otherwise the parameters (m,), of all or of
        none, whose sensitivities have to be better; states have to be anyway.
    memory
        What a call has solved, for another one with the same model and times that asks for more.

    Raises
    ------
    TranslationError
        If the vector field has something that the Taylor method cannot follow.
    SettingError
        If `digits`, `negligible`, `time_limit` or `method` are invalid.
    MissingExtraError
        If a proof is asked for and CAPD is not installed.
    """
    if proof:
        check_installed()
    if not (0.0 < digits <= certificate.MOST_DIGITS or (digits == np.inf and lacking)):
        raise SettingError(
            f"digits is {digits!r}: ask for more than 0 and at most {certificate.MOST_DIGITS}, "
            "which is what float64 holds."
        )
    if not 0.0 < negligible < 1.0:
        raise SettingError(f"negligible is {negligible!r}; it must lie between 0 and 1.")
    if time_limit is not None and not time_limit > 0.0:
        raise SettingError(f"time_limit is {time_limit!r}; it is a positive number of seconds.")
    if method not in (None, TAYLOR, COLLOCATION):
        raise SettingError(f"method is {method!r}; it is 'taylor', 'collocation' or None.")
    started = time.perf_counter()
    loaded = load_model(model)
    loading = time.perf_counter() - started
    new_climb = partial(
        Climb, loaded, loaded.times(times), negligible=negligible, progress=progress,
        load_seconds=loading, lacking=lacking,
    )  # fmt: skip
    limit = TIME_LIMIT if time_limit is None else time_limit
    limit = max(limit - loading, LEAST_SHARE * limit)
    try:
        climb, status = _by_method(new_climb, digits, limit, method, memory or Memory())
    except TranslationError as error:
        raise _of_its_file(error, loaded) from error
    beside = climb.note_one_sided()
    if beside:
        held = climb.digits()[1]
        status = f"uncertified: {beside}; the others hold {held:.1f} digits" + (
            "" if status == "ok" else f" ({status})"
        )
    if status == "ok" and climb.best is not None:
        tell_idle_jumps(loaded, {record.name for record in climb.best.event_records})
    result = climb.reference(status)
    if not proof:
        return result
    return proven(loaded, result, negligible=negligible, time_limit=limit)


def _by_method(
    new_climb: Callable[..., Climb], digits: float, limit: float, method: str | None, memory: Memory
) -> tuple[Climb, str]:
    """The better climb with its status: by the method asked for, or the one chosen, or both."""
    climb = new_climb(time_limit=limit)
    if memory.collocation is not None and method is None:
        climb = memory.resumed(climb)
        return climb, _collocate(climb, memory.collocation, digits, memory.scout)
    if method == TAYLOR:
        return climb, _climb_seeing(climb, digits)
    if method == COLLOCATION:
        return climb, _collocate(climb, Collocation(climb), digits, None)
    choice = choose(climb)
    other = new_climb(time_limit=FIRST_SHARE * climb.left)
    if choice.collocation is None or choice.scout is None:
        other.limit = climb.left
        return other, _told(other, choice.why, _climb_seeing(other, digits))
    if choice.method == COLLOCATION:
        climb.limit = limit if choice.hopeless else limit - (1.0 - FIRST_SHARE) * climb.left
        first = climb, _collocate(climb, choice.collocation, digits, choice.scout)
        _told(climb, choice.why)
        memory.keep(choice.collocation, choice.scout)
    else:
        climb.rungs = []
        first = other, _told(other, choice.why, _climb_seeing(other, digits))
    climb.limit = limit
    if first[1] == "ok" or climb.left < max(WORTH_A_START * limit, choice.compiling):
        return first
    if climb.lacking is not None and first[0].held > min(digits, ANYWAY):
        return first  # precise, if perhaps not precise enough: another method has little more
    if choice.hopeless and climb.held > 0.0:
        return first[0], f"{first[1]} ({HOPELESS_STEPS.format(rounded(choice.steps))})"
    if choice.method == COLLOCATION:
        memory.clear()
        other = new_climb(time_limit=climb.left)
        other.rungs = list(climb.rungs)
        second = other, _climb_seeing(other, digits)
    elif any(word in first[1] for word in OUT_OF_TIME):
        climb.rungs = list(other.rungs)
        second = climb, _collocate(climb, choice.collocation, digits, choice.scout)
    else:
        return first
    if second[1] == "ok" or second[0].held > first[0].held:
        return second
    first[0].rungs = second[0].rungs
    return first


HOPELESS_STEPS = "stiff: the explicit Taylor method would need {} steps"


def _told(climb: Climb, why: str, status: str = "") -> str:
    """Write into the first rung why its method was chosen; the status."""
    if climb.rungs:
        climb.rungs[0]["why"] = why
    return status


def _collocate(
    climb: Climb, collocation: Collocation, digits: float, scout: Solution | None
) -> str:
    status = collocation.climb_to(digits, scout)
    return status if status == "ok" else _uncertified(climb, status)


def _of_its_file(error: TranslationError, model: Model) -> TranslationError:
    """The error with advice for the author of an SBML file, who declares no events in Python."""
    if not model.source.endswith(SBML_SUFFIXES):
        return error
    what, _, advice = str(error).partition(" Declare ")
    if not advice:
        return error
    return TranslationError(
        f"{what} Write the switch in the file as a piecewise whose conditions are inequalities, or "
        "as an event."
    )


def _climb_seeing(climb: Climb, digits: float) -> str:
    """Climb; where a step seems to have jumped over something, look closer, then step shorter."""
    for mend in (climb.look_closer, climb.start_over):
        try:
            return _climb(climb, digits)
        except TimeIsOverError as late:
            return _uncertified(climb, str(late))
        except JumpedOverError:
            mend()
    try:
        return _climb(climb, digits)
    except TimeIsOverError as late:
        return _uncertified(climb, str(late))
    except JumpedOverError as again:
        climb.accept(again.solution, None)
        return _uncertified(
            climb,
            f"about t = {again.time:g} the vector field has a kink, a jump or a very narrow pulse, "
            "which a Taylor series does not see (declare an event there, or where a pulse begins)",
        )


def _climb(climb: Climb, digits: float) -> str:
    """Run rungs until so many digits are certified; the status."""
    double = climb.build(DOUBLE, DOUBLE_TOLERANCE)
    scout = climb.run(double, keep_grid=True)
    climb.accept(scout, None)
    if scout.status == "time_limit":
        more = needed(scout, climb.model.t_end)
        came = "the time limit came in double precision"
        return _uncertified(climb, f"{came}: {more}" if more else came)
    climb.grid = certificate.companion_grid(
        climb.times, scout.step_starts, scout.step_sizes, t_end=climb.model.t_end
    )
    coarse = climb.run(double)
    climb.accept(coarse, None)
    held = 0.0
    if available(LONG_DOUBLE):
        fine = climb.run(climb.build(LONG_DOUBLE, LONG_DOUBLE_TOLERANCES[0]))
        if fine.status != "ok":
            return _failed(climb, fine, coarse)
        agree = coarse.status == "ok"
        held = climb.accept(fine, certificate.between(coarse, fine, climb.grid) if agree else None)
        if held >= digits:
            return "ok"
        # rounding shrinks with epsilon, so this is what the spread can certify at best
        more = np.log10(DOUBLE.eps / LONG_DOUBLE.eps)
        if agree and held + more > min(digits, certificate.MOST_DIGITS):
            peers = _long_double_peers(climb, double, coarse, fine)
            if peers is None:
                return _uncertified(climb, f"{climb.rungs[-1]['status']} in long double precision")
            held = peers
            if held >= digits:
                return "ok"
    return _climb_higher(climb, digits, held)


def _long_double_peers(
    climb: Climb, double: Variational | Hybrid, coarse: Solution, fine: Solution
) -> float | None:
    coarser, peers = [coarse], [fine]
    for fraction in DOUBLE_FIRST_STEPS:
        coarser.append(climb.run(double, first_step=fraction))
    for tolerance in LONG_DOUBLE_TOLERANCES[1:]:
        peers.append(climb.run(climb.build(LONG_DOUBLE, tolerance)))
        if peers[-1].status != "ok":
            return None
    consensus, bounds = certificate.among(
        peers, [c for c in coarser if c.status == "ok"], climb.grid
    )
    return climb.accept(consensus, bounds)


def _climb_higher(climb: Climb, digits: float, held: float) -> str:
    """Quad and beyond: every rung certifies the one below, and is returned with its digits."""
    assert climb.best is not None
    plan: list[tuple[Precision, float]] = []
    if available(QUAD):
        known = 0.0 if np.isnan(held) else held
        first = float(np.clip(10.0 ** (known - digits - 20.0), 1e-30, 1e-22))
        plan += [(QUAD, first), (QUAD, max(first * 1e-5, 3e-34))]
    if available(multiple(MULTIPLE_BITS)):
        plan += [(multiple(MULTIPLE_BITS), tolerance) for tolerance in MULTIPLE_TOLERANCES]
    coarser = climb.best
    for precision, tolerance in plan:
        if climb.left <= 0.0:
            return _uncertified(climb, "the time limit came")
        expected = _expected_seconds(climb, precision, tolerance)
        if expected > 2.0 * climb.left:
            return _uncertified(
                climb,
                f"{precision.name} precision would take longer than the time limit, "
                f"about {rounded(expected)} s",
            )
        solution = climb.run(climb.build(precision, tolerance))
        if solution.status != "ok":
            more = needed(solution, climb.model.t_end)
            what = f"{solution.status} in {precision.name} precision"
            return _uncertified(climb, f"{what}: {more}" if more else what)
        if climb.best.precision.bits < precision.bits:
            coarser, bounds = climb.best, certificate.between(climb.best, solution, climb.grid)
        else:  # rounding that the dynamics amplify is alike in two solves of one precision
            bounds = certificate.apart(
                climb.best, solution, coarser, climb.grid, caution=QUAD_CAUTION
            )
        held = climb.accept(solution, bounds)
        if held >= digits:
            return "ok"
    return _uncertified(climb, "the top of the ladder is reached")


def _expected_seconds(climb: Climb, precision: Precision, tolerance: float) -> float:
    """From the last rung: the cost goes with the square of the order and with the arithmetic."""
    assert climb.best is not None
    last = climb.best
    cost = {"double": 1.0, "long double": 4.5, "quad": 55.0, "multiple": 200.0}
    order = np.log(tolerance) / np.log(last.tolerance)
    return float(last.run_seconds * order**2 * cost[precision.name] / cost[last.precision.name])


def _failed(climb: Climb, fine: Solution, coarse: Solution) -> str:
    reached = to_float64(fine.values)[:, 0]
    bounds = certificate.between(coarse, fine, climb.grid)
    # what was not reached for want of time is in the coarse solve, without a certificate
    whole = fine.status == "time_limit" and coarse.status == "ok"
    climb.accept(certificate.completed(fine, coarse) if whole else fine, bounds)
    last = fine.times[np.isfinite(reached)]
    unbounded = _unbounded(climb.model, fine)
    if unbounded:
        return _uncertified(climb, unbounded)
    late = fine.status == "time_limit"
    reason = fine.reason or needed(fine, climb.model.t_end)
    if not (reason or late):
        reason = along_the_solution(climb.model)
    reason = f", {reason}" if reason else ""
    until = last[-1] if len(last) else 0.0
    return _uncertified(climb, f"{fine.status} after t = {until:g}{reason}")


def _unbounded(model: Model, solution: Solution) -> str:
    """Where a solution that could not go on grows without bound; empty for others."""
    if solution.last is None or solution.status not in ("step_underflow", "non_finite"):
        return ""
    time, y = solution.last
    start = np.abs(np.asarray(initial_state(model, model.nominal)))
    grown = np.abs(y) / np.maximum(start, start.max(initial=0.0) or 1.0)
    if not np.isfinite(y).all() or grown.max() < UNBOUNDED:
        return ""
    name = list(model.states)[int(grown.argmax())]
    return (
        f"the solution grows without bound, {name!r} to {y[grown.argmax()]:.1e} at t = {time:.6g}"
    )


def _uncertified(climb: Climb, why: str) -> str:
    held, until = climb.digits()[1], climb.held_until(USEFUL)
    text = f"uncertified: {why}; {rounded_down(held)} digits hold"
    if 0.0 < until < climb.times[-1] and held < USEFUL:
        text += f", and {USEFUL:.0f} or more until t = {until:g}"
    return text
