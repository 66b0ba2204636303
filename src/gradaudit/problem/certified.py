"""`reference_gradient`: the gradient of a log-likelihood, and how many digits of it hold."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradaudit.certification.heyoka.precision import QUAD, available
from gradaudit.errors import SettingError
from gradaudit.problem.crew import Crew
from gradaudit.problem.definition import Problem
from gradaudit.problem.likelihood import FINER, ROUNDING, Sum
from gradaudit.problem.simulation import Goal, Part, Simulation, Solves, total
from gradaudit.records.numbers import rounded_down
from gradaudit.records.results import Digits

Array = NDArray[np.float64]
Key = TypeVar("Key")

MOST_DIGITS = 15.6  # what a float64 can hold
MOST_ASKED = 15.4  # of a solve, before it is known which digits are missing
ALLOWED = 0.9
"""Of the error with which an entry has the digits asked for: to what it is made smaller."""
MOST_REFINED = 3
"""Times that conditions are solved again: an entry that is within its bound at first may turn out
not to vanish, and has to be known more precisely then."""
LEFT = 0.5
"""Of what is allowed, for the solves that are not repeated."""
RESOLVED = 16 * np.finfo(np.float64).eps
"""Of the sum of the absolute values of its terms: an entry that is no larger is zero as far as
parameters in float64 determine it."""
PRIOR_VALUE = 1e-13  # of the constants of densities, which are computed in float64
VANISHES = 1e-10
"""Of the same sum: the largest error bound of an entry that is called zero."""
NOTHING = 1e-15
"""The change of a log-likelihood, as a parameter changes by its own size, that is no change: with a
bound below it an entry is zero although it has no terms to vanish beside."""


@dataclass(frozen=True, kw_only=True)
class ReferenceGradient:
    """A log-likelihood and its gradient, on the estimation scale.

    Attributes
    ----------
    value, value_bound
        The log-likelihood, with priors only where they are asked for, and a bound of its error.
    gradient, bounds
        d value / d p, (K,), in the order of `parameters`, and bounds of the absolute errors.
    digits
        The least number of significant digits of the entries; ``.digits.per_entry`` (K,) is NaN
        where an entry vanishes beside its terms: it is no larger than its bound, or than what
        rounding of the parameters to float64 changes. Then `bounds` says how far it is known.
    status
        "ok" where the digits asked for are certified, else "uncertified: " and why.
    parameters, scale
        Names and scales, K each.
    point, point_values
        Where the gradient is, (K,): on the estimation scale, and not. The certificate is for
        `point_values` as the float64 that they are.
    sizes
        The sum of the absolute values of the terms of each entry, (K,): what cancels.
    by_condition
        Value and gradient of the measurements under each condition.
    by_observable
        The same by condition and observable: the keys are pairs of their ids.
    simulated, residuals
        As `Problem.simulate` has them, and (measured - simulated) / noise on the scales of the
        observables, in the order of the measurements, (M,).
    seconds
        The time that all of it took.
    """

    value: float
    value_bound: float
    gradient: Array
    bounds: Array
    digits: Digits
    status: str
    parameters: tuple[str, ...]
    scale: tuple[str, ...]
    point: Array
    point_values: Array
    sizes: Array
    by_condition: dict[str, tuple[float, Array]]
    by_observable: dict[tuple[str, str], tuple[float, Array]]
    simulated: Array
    residuals: Array
    seconds: float


def reference_gradient(
    problem: Problem,
    p: ArrayLike | None = None,
    *,
    digits: float = 10.0,
    time_limit: float = 600.0,
    posterior: bool = False,
    processes: int = 1,
) -> ReferenceGradient:
    """The gradient of the log-likelihood by certified sensitivities, with its certified digits.

    The bounds of the errors of states and sensitivities are propagated through the formulas of
    observables and noise, term by term, without any cancellation between them.

    Parameters
    ----------
    problem
        From `gradaudit.load_problem`.
    p
        The point (K,) on the estimation scale; None: the nominal parameters.
    digits
        Significant digits to certify of each entry, at most 15.6.
    time_limit
        Seconds for all conditions; what is not certified by then is told in ``.status``.
    posterior
        Whether the priors are in value and gradient, as in `Problem.log_posterior`;
        ``by_condition`` and ``by_observable`` have none of them.
    processes
        At most so many solve conditions side by side, if these take long. More than one begin with
        ``__main__``, as all of `multiprocessing`: a script needs ``if __name__ == "__main__":``.

    Raises
    ------
    SettingError
        If `digits`, `time_limit` or `processes` is invalid.
    ProblemError
        If `p` is invalid, or the model cannot be solved with certificates under a condition.
    """
    return reference_with_solves(
        problem,
        p,
        digits=digits,
        time_limit=time_limit,
        posterior=posterior,
        processes=processes,
    )[0]


def reference_with_solves(
    problem: Problem,
    p: ArrayLike | None = None,
    *,
    digits: float = 10.0,
    time_limit: float = 600.0,
    posterior: bool = False,
    processes: int = 1,
) -> tuple[ReferenceGradient, Simulation]:
    """`reference_gradient`, and the certified solves that it comes from."""
    if not 0.0 < digits <= MOST_DIGITS:
        raise SettingError(f"digits is {digits!r}; it must be above 0 and at most {MOST_DIGITS}.")
    if not time_limit > 0.0:
        raise SettingError(f"time_limit is {time_limit!r}; it is a positive number of seconds.")
    if processes < 1:
        raise SettingError(f"processes is {processes!r}; it must be at least 1.")
    started = time.perf_counter()
    with Crew(problem, problem.parameters.values(p), True, True, processes) as solves:
        parts = solves.every(min(digits + 2.0, MOST_ASKED), time_limit)
        found = Simulation(solves.values, parts, solves.preparation)
        result = _result(problem, p, found, digits, time.perf_counter() - started, posterior)
        for _ in range(MOST_REFINED):
            left = time_limit - result.seconds
            if result.status == "ok" or left <= 0.0:
                break
            hidden = np.abs(result.gradient) <= result.bounds
            found = _refined(solves, found, result, digits, left)
            result = _result(problem, p, found, digits, time.perf_counter() - started, posterior)
            # only then is it known how small the errors of such an entry have to be
            if not np.any(hidden & (np.abs(result.gradient) > result.bounds)):
                break
    return result, found


@np.errstate(divide="ignore", over="ignore", invalid="ignore")
def _refined(
    solves: Solves,
    found: Simulation,
    result: ReferenceGradient,
    digits: float,
    time_limit: float,
) -> Simulation:
    """Solve again what the missing digits are missing for, until the sum has them.

    Where terms of several conditions cancel, few of these spoil the sum. Those with the largest
    errors are solved again, so many that the others leave half of the error that is allowed. Each
    of them has to make its error smaller by the same factor, less what the ones before did better.
    """
    slopes = np.abs(solves.problem.parameters.slopes(found.values))
    count, parts, ends = len(slopes), list(found.parts), time.perf_counter() + time_limit
    sums = [total(own.contributions, count) for own in parts]
    unit = ROUNDING * (FINER if available(QUAD) else 1.0)  # of the solves that are repeated
    floors = np.array([unit * own.size * slopes for own in sums], np.float64)
    wrong = np.array([own.bound * slopes for own in sums], np.float64) - floors
    failed = [index for index, own in enumerate(parts) if own.status != "ok"]
    size = np.abs(result.gradient)
    small = np.maximum(RESOLVED * result.sizes, negligible(found.values, slopes))
    # an entry that is within its bound may turn out to vanish
    allowed = ALLOWED * np.where(size <= result.bounds, small, 10.0**-digits * size)
    allowed = np.maximum(allowed - floors.sum(axis=0), floors.sum(axis=0))
    held = result.digits.per_entry
    short = (held < digits) & (wrong[failed].sum(axis=0) < allowed)  # NaN where it vanishes
    pending = _worst(wrong[:, short] / allowed[short], failed)
    while pending and (left := ends - time.perf_counter()) > 0.0:
        others = np.delete(wrong, pending, axis=0).sum(axis=0)
        goals = {}
        for index in solves.together(pending):
            part_of = wrong[index, short] / wrong[pending][:, short].sum(axis=0)
            # what is not short must not become so
            goal = np.fmax(wrong[index], allowed - np.delete(wrong, index, axis=0).sum(axis=0))
            goal = np.nan_to_num(goal, nan=np.inf)
            goal[short] = np.maximum(allowed - others, 0.0)[short] * np.nan_to_num(part_of)
            goals[index] = Goal(goal + floors[index], slopes)
        for index, again in solves.several(goals, left).items():
            bound = (total(again.contributions, count).bound * slopes).astype(np.float64)
            bound = bound - floors[index]
            harmless = np.delete(wrong, index, axis=0).sum(axis=0) + bound <= allowed
            if np.all((bound <= wrong[index]) | harmless):
                parts[index], wrong[index] = again, bound
        pending = [index for index in pending if index not in goals]
    return replace(found, parts=tuple(parts))


def _worst(shares: Array, failed: list[int]) -> list[int]:
    """The rows of shares (P, K) of what is allowed with the largest; `LEFT` is for the others."""
    chosen: list[int] = []
    for index in np.argsort(-shares.max(axis=1, initial=0.0), kind="stable").tolist():
        if np.all(np.delete(shares, chosen, axis=0).sum(axis=0) <= LEFT):
            break
        if index not in failed:
            chosen.append(index)
    return chosen


@np.errstate(over="ignore", invalid="ignore")  # what is not finite is told in the status
def _result(
    problem: Problem,
    p: ArrayLike | None,
    found: Simulation,
    digits: float,
    seconds: float,
    posterior: bool,
) -> ReferenceGradient:
    whole_sum, parameters = found.total, problem.parameters
    slopes = parameters.slopes(found.values)
    value, whole = whole_sum.value, whole_sum.gradient * slopes
    # of the priors: derivatives, bounds of their errors, and the sizes of their terms
    by_priors, off, terms = np.zeros((3, len(parameters)), np.longdouble)
    kinks: list[str] = []
    if posterior:
        for name, own in problem.prior_terms(found.values).items():
            k, value = parameters.names.index(name), value + own.value
            by_priors[k], off[k], terms[k] = own.derivative, own.off, own.size
            kinks += [name] * own.kink
    gradient = (whole + by_priors).astype(np.float64)
    rounding = np.finfo(np.float64).eps
    bounds = (whole_sum.bound * np.abs(slopes)).astype(np.float64) + rounding * np.abs(gradient)
    bounds = bounds + off.astype(np.float64)
    sizes = (whole_sum.size * np.abs(slopes) + terms).astype(np.float64)
    held = held_digits(gradient, bounds, sizes, negligible(found.values, slopes))
    constant = PRIOR_VALUE * len(problem.priors) if posterior else 0.0
    status = _status(found, parameters.names, gradient, held, digits)
    if kinks:
        status = f"uncertified: {kinks[0]!r} is at the kink of its Laplace prior"
    elif not np.isfinite(value):
        outside = "; a parameter is outside of its prior" if posterior else ""
        status = status if status != "ok" else f"uncertified: the value is not finite{outside}"
    return ReferenceGradient(
        value=float(value),
        value_bound=float(whole_sum.value_bound) + float(rounding * np.abs(value)) + constant,
        gradient=gradient,
        bounds=bounds,
        digits=held,
        status=status,
        parameters=parameters.names,
        scale=parameters.scales,
        point=parameters.nominal if p is None else np.asarray(p, dtype=np.float64),
        point_values=found.values,
        sizes=sizes,
        by_condition=on_scale(found.by_condition, slopes),
        by_observable=on_scale(found.by_observable, slopes),
        simulated=found.by_row("simulated"),
        residuals=found.by_row("residuals"),
        seconds=seconds,
    )


def on_scale(sums: Mapping[Key, Sum], slopes: Any) -> dict[Key, tuple[float, Array]]:
    """Values, and gradients (K,) on the estimation scale."""
    return {
        key: (float(own.value), (own.gradient * slopes).astype(np.float64))
        for key, own in sums.items()
    }


def negligible(values: Array, slopes: Any) -> Array:
    """The largest bound of an entry without terms that is zero, (K,)."""
    own = np.abs(values)
    found: Array = NOTHING * np.abs(slopes).astype(np.float64) / np.where(own > 0.0, own, 1.0)
    return found


def held_digits(
    gradient: Array, bounds: Array, sizes: Array, nothing: Array | float = 0.0
) -> Digits:
    """Significant digits of every entry (K,); NaN where it vanishes beside its terms.

    It vanishes as well if all its terms are no larger than its bound and that is `nothing`, as
    those of a steady state that does not depend on a rate.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        held = -np.log10(bounds / np.abs(gradient))
    held = np.clip(np.nan_to_num(held, nan=0.0, posinf=MOST_DIGITS, neginf=0.0), 0.0, MOST_DIGITS)
    exact = (sizes == 0.0) & (bounds == 0.0)
    held[exact] = MOST_DIGITS  # nothing depends on it
    small = np.abs(gradient) <= np.maximum(bounds, RESOLVED * sizes)
    without_terms = (sizes <= bounds) & (bounds <= nothing)
    vanishing = small & ((bounds <= VANISHES * sizes) | without_terms) & ~exact
    return Digits(np.where(vanishing, np.nan, held), MOST_DIGITS)


def _status(
    found: Simulation, names: tuple[str, ...], gradient: Array, held: Digits, digits: float
) -> str:
    kinks = [row for part in found.parts for own in part.contributions for row in own.kinks]
    if kinks:
        return (
            f"uncertified: measurement {kinks[0] + 1} cannot be told from what is simulated, "
            "where the log-likelihood of Laplace noise has a kink"
        )
    switching = [row for p in found.parts for own in p.contributions for row in own.at_switches]
    if switching:
        return (
            f"uncertified: at measurement {min(switching) + 1} the formula of the observable or of "
            "its noise has a kink or a jump, so that the derivative does not exist there"
        )
    noiseless = [row for p in found.parts for own in p.contributions for row in own.without_noise]
    if noiseless:
        return (
            f"uncertified: the noise of measurement {min(noiseless) + 1} is not positive, so that "
            "the log-likelihood does not exist"
        )
    if not (np.isfinite(found.log_likelihood) and np.all(np.isfinite(gradient))):
        rows = np.flatnonzero(~np.isfinite(found.by_row("residuals")))
        where = f" (first at measurement {rows[0] + 1})" if len(rows) else ""
        why = _reasons([part for part in found.parts if part.status != "ok"])
        return f"uncertified: the log-likelihood or its gradient is not finite{where}{why}"
    if float(held) >= digits:
        return "ok"
    least = int(np.nanargmin(held.per_entry))
    failed = [part for part in found.parts if part.status != "ok"]
    why = _reasons(failed)
    shown = rounded_down(float(held))
    return f"uncertified: {shown} digits hold of the entry of {names[least]!r}{why}"


def _reasons(failed: Sequence[Part]) -> str:
    """Why the first solve failed, and how many others did; empty if none did."""
    if not failed:
        return ""
    more = len(failed) - 1
    others = f" (and {more} more condition{'s' if more > 1 else ''})" if more else ""
    why = failed[0].status.removeprefix("uncertified: ")
    return f"; under {failed[0].group.label}{others}: {why}"
