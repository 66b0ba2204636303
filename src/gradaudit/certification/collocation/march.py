"""One solve by collocation."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from gradaudit.certification.collocation.hybrid_run import HybridRun
from gradaudit.certification.collocation.problem import Problem
from gradaudit.certification.collocation.run import Run
from gradaudit.certification.collocation.scales import Expected
from gradaudit.certification.heyoka.precision import to_float64
from gradaudit.certification.variational import Options, Solution


def march(
    problem: Problem,
    times: NDArray[np.float64],
    options: Options,
    *,
    points: int,
    tolerance: float,
    columns: Sequence[int] | NDArray[np.int64] | None = None,
    expected: Expected | None = None,
    look: bool = False,
) -> Solution:
    """Solve on `times`, increasing and within [0, t_end]; a failure is a status.

    Parameters
    ----------
    points
        Collocation points of an element; its order is ``2 points - 1``.
    tolerance
        Of the last Legendre coefficients, in relation to the scales.
    columns
        With respect to which parameters sensitivities are computed, by default all; the
        derivatives with respect to the others are NaN.
    expected
        Sizes from an earlier solve, by which is judged what begins at 0.
    look
        Whether the elements see all of the vector field; "jumped_over" where they do not.
    """
    started = time.perf_counter()
    precision = problem.precision
    kind = Run if problem.modes is None else HybridRun
    run = kind(problem, times, points, tolerance, columns, expected, look)
    watch = options.watch(problem.model.t_end, precision, tolerance)
    # an element that fails is made shorter
    with np.errstate(all="ignore"), _blas().limit(limits=1, user_api="blas"):
        status = run.march(watch, options)
    return Solution(
        times=times,
        values=run.values,
        derivatives=run.derivatives,
        status=status,
        steps=watch.steps,
        run_seconds=time.perf_counter() - started,
        build_seconds=problem.build_seconds,
        precision=precision,
        tolerance=tolerance,
        step_starts=np.array(watch.starts),
        step_sizes=np.array(watch.sizes),
        reason=run.reason(status),
        last=(float(run.t), to_float64(run.y[: problem.fine.n])),
        sizes=(run.scales.largest, run.scales.entries),
        **run.extra,
    )


@cache
def _blas() -> ThreadpoolController:
    """Matrices of elements are small: threads would wait for each other most of the time."""
    return ThreadpoolController()
