"""The certified reference: climb precisions and tolerances until enough digits agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from gradaudit.certification import certificate
from gradaudit.certification.climb import Climb, JumpedOverError
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
from gradaudit.certification.variational import Progress, Solution, Variational
from gradaudit.errors import SettingError, TranslationError
from gradaudit.model.definition import Model
from gradaudit.model.derivative_check import along_the_solution
from gradaudit.model.loading import SBML_SUFFIXES, load_model
from gradaudit.records.results import Reference

NEGLIGIBLE = 1e-3
USEFUL = 10.0  # digits, of which an uncertified reference says how far they hold
TIME_LIMIT = 600.0  # s, where none is given
DOUBLE_TOLERANCE = 2.2e-16
# heyoka's grid depends on the order alone, which each of these tolerances changes
LONG_DOUBLE_TOLERANCES = (1e-20, 1e-21, 3e-20, 1e-22, 1.1e-19, 1e-23)
DOUBLE_FIRST_STEPS = (0.3, 0.1)  # of the first output time, for other rounding errors
MULTIPLE_BITS, MULTIPLE_TOLERANCES = 237, (1e-45, 1e-60)


def reference(
    model: Model | str | Path,
    times: ArrayLike | None = None,
    *,
    digits: float = 12.0,
    negligible: float = NEGLIGIBLE,
    time_limit: float | None = None,
    progress: Progress | None = None,
) -> Reference:
    """States and sensitivities with a certificate of how many digits of S hold.

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
        Significant decimal digits of S to certify, at most 15.6.
    negligible
        Entries of S below this share of their parameter's largest need no digits and are NaN in
        ``.digits.per_entry``: see `gradaudit.certification.certificate.entry_thresholds`.
    time_limit
        Seconds for the whole ladder, by default ten minutes; then the best result so far is
        returned, with its honest digits and a status that begins with "uncertified".
    progress
        Called as ``progress(fraction, text)`` now and then in long solves.

    Raises
    ------
    TranslationError
        If the vector field has something that the Taylor method cannot follow.
    SettingError
        If `digits`, `negligible` or `time_limit` are invalid.
    """
    if not 0.0 < digits <= certificate.MOST_DIGITS:
        raise SettingError(
            f"digits is {digits!r}: ask for more than 0 and at most {certificate.MOST_DIGITS}, "
            "which is what float64 holds."
        )
    if not 0.0 < negligible < 1.0:
        raise SettingError(f"negligible is {negligible!r}; it must lie between 0 and 1.")
    if time_limit is not None and not time_limit > 0.0:
        raise SettingError(f"time_limit is {time_limit!r}; it is a positive number of seconds.")
    loaded = load_model(model)
    climb = Climb(
        loaded,
        loaded.times(times),
        negligible=negligible,
        time_limit=TIME_LIMIT if time_limit is None else time_limit,
        progress=progress,
    )
    try:
        status = _climb_seeing(climb, digits)
    except TranslationError as error:
        raise _of_its_file(error, loaded) from error
    beside = climb.note_one_sided()
    if beside:
        held = climb.digits()[1]
        status = f"uncertified: {beside}; the others hold {held:.1f} digits" + (
            "" if status == "ok" else f" ({status})"
        )
    return climb.reference(status)


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
        except JumpedOverError:
            mend()
    try:
        return _climb(climb, digits)
    except JumpedOverError as again:
        climb.accept(again.solution, None)
        return _uncertified(
            climb,
            f"about t = {again.time:g} the vector field has a kink, a jump or a very narrow pulse, "
            "which a Taylor series does not see (declare an event there)",
        )


def _climb(climb: Climb, digits: float) -> str:
    """Run rungs until so many digits are certified; the status."""
    double = climb.build(DOUBLE, DOUBLE_TOLERANCE)
    scout = climb.run(double, keep_grid=True)
    climb.accept(scout, None)
    if scout.status == "time_limit":
        return _uncertified(climb, "the time limit came in double precision")
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
        if agree and held + np.log10(DOUBLE.eps / LONG_DOUBLE.eps) > digits:
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
    for precision, tolerance in plan:
        if climb.left <= 0.0:
            return _uncertified(climb, "the time limit came")
        expected = _expected_seconds(climb, precision, tolerance)
        if expected > 2.0 * climb.left:
            # Without the seconds: the text of a status is equal in each run.
            return _uncertified(
                climb, f"{precision.name} precision would take longer than the time limit"
            )
        solution = climb.run(climb.build(precision, tolerance))
        if solution.status != "ok":
            return _uncertified(climb, f"{solution.status} in {precision.name} precision")
        held = climb.accept(solution, certificate.between(climb.best, solution, climb.grid))
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
    climb.accept(fine, certificate.between(coarse, fine, climb.grid))
    last = fine.times[np.isfinite(reached)]
    reason = fine.reason or along_the_solution(climb.model)
    reason = f", {reason}" if reason else ""
    until = last[-1] if len(last) else 0.0
    return _uncertified(climb, f"{fine.status} after t = {until:g}{reason}")


def _uncertified(climb: Climb, why: str) -> str:
    held, until = climb.digits()[1], climb.held_until(USEFUL)
    text = f"uncertified: {why}; {held:.1f} digits hold"
    if 0.0 < until < climb.times[-1] and held < USEFUL:
        text += f", and {USEFUL:.0f} or more until t = {until:g}"
    return text
