"""`check_gradient`: one call for functions, models and estimation problems."""

from __future__ import annotations

import threading
from typing import Any

from numpy.typing import ArrayLike

from gradaudit.checked.gradient_check.functions import check_function
from gradaudit.checked.gradient_check.result import GradientCheck
from gradaudit.errors import SettingError
from gradaudit.model.definition import Model

ACCURACY = 1e-2
TIME_LIMIT = 60.0  # s
_one_at_a_time = threading.RLock()


def check_gradient(
    fun: Any,
    p: Any = None,
    gradient: Any = None,
    *,
    accuracy: float = ACCURACY,
    directions: int | None = None,
    seed: int = 0,
    times: ArrayLike | None = None,
    time_limit: float = TIME_LIMIT,
) -> GradientCheck:
    """Whether a gradient is that of the exact solution's function: passed, failed, inconclusive.

    For a function, its solves by `diffrax.diffeqsolve` are replaced while it is traced, in any
    nesting, by solves with controlled tangents at two levels of accuracy. What they give along a
    few directions is confirmed by difference quotients, and replaced by them where tangents are
    known to lack a term or a solve has events. The parameters are scaled by ``|p_j|``
    (1 where p_j = 0) throughout. Up to twelve parameters are all checked; of more, the error is
    sampled along random directions. Checks wait for one another; solves in other threads are not
    affected.

    Parameters
    ----------
    fun
        A function, in JAX, of p, that returns a real number; or a `gradaudit.Model`, or an
        estimation problem from `gradaudit.load_problem`.
    p
        For a function, an array or a pytree of floats. For a model or a problem the parameters,
        (m,), on a problem's estimation scale; None for the nominal ones.
    gradient
        What is judged. For a function like p; None: ``jax.grad(fun)(p)``, or `jax.jacfwd` where
        reverse mode is not possible. For a model sensitivities (n, m) at its end, (T, n, m) at
        `times`, or what `gradaudit.sensitivities` returns. For a problem (K,), d log-likelihood / d
        p on the estimation scale.
    accuracy
        The relative error up to which a gradient is right.
    directions
        How many random directions, if there are more parameters than that; None for 3, and more
        where they leave it open.
    seed
        Of the random directions.
    times
        (T,), of a model's sensitivities; None for those of the model.
    time_limit
        Seconds for the certified reference of a model or a problem.

    Returns
    -------
    GradientCheck
        With `outcome`, `disagreement`, `error_bar`, `reason` and `blame`; it prints as a report.

    Raises
    ------
    SettingError
        For arguments that are invalid, such as a gradient unlike p, or a function that does not
        return one real number. What fails when the function runs is "inconclusive".
    """
    if not 0.0 < accuracy < 1.0:
        raise SettingError(f"accuracy is {accuracy!r}; it must lie between 0 and 1.")
    if directions is not None and directions < 1:
        raise SettingError(f"directions is {directions!r}; it must be 1 or more.")
    if isinstance(fun, Model):
        from gradaudit.checked.gradient_check.declared import check_model

        return check_model(fun, p, gradient, times=times, accuracy=accuracy, time_limit=time_limit)
    if not callable(fun):
        from gradaudit.checked.gradient_check.declared import check_problem
        from gradaudit.problem.definition import Problem

        if not isinstance(fun, Problem):
            raise SettingError(
                f"fun is {type(fun).__name__}; it has to be a function of p, a gradaudit.Model or "
                "a problem of gradaudit.load_problem."
            )
        return check_problem(fun, p, gradient, accuracy=accuracy, time_limit=time_limit)
    if p is None:
        raise SettingError("p is missing: give the parameters at which the gradient is checked.")
    with _one_at_a_time:
        return check_function(fun, p, gradient, accuracy=accuracy, count=directions, seed=seed)
