"""`fisher_information`: of a checked Jacobian, of a matrix, or of an estimation problem."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import jax
import jax.tree_util as jtu
import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradaudit.checked.jacobian import CheckedJacobian
from gradaudit.errors import SettingError, extras_by_name, first_few
from gradaudit.evaluation.information import ROUNDING, SAFETY, FisherInformation, information

if TYPE_CHECKING:
    from gradaudit.problem.definition import Problem

Array = NDArray[np.float64]

NOT_BY_ERROR = ("failed", "undifferentiable", "max_steps", "not_finite", "switched", "one_sided")
"""Warnings of which the error of the entries tells nothing."""


def fisher_information(
    of: CheckedJacobian | Problem | ArrayLike,
    *,
    noise: Any = None,
    error: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    scale: Any = None,
    fixed: Sequence[str] = (),
    kind: Literal["fisher", "gauss_newton"] = "fisher",
    p: ArrayLike | None = None,
    solver: str | None = None,
    **setting: Any,
) -> FisherInformation:
    """Fisher information, eigenvalues, standard errors and condition, with bars for all of them.

    With J the Jacobian of what is measured and W the inverse variances of independent normal
    noise, F = J^T W J; priors are not in it. Eigenvalues and condition depend on the units of the
    parameters; the relative bars of standard errors do not.

    Parameters
    ----------
    of
        A result of `checked_jacfwd`, whose readout returns what is measured; or the Jacobian as an
        array (N, m), with `error`; or a problem of `gradaudit.load_problem`.
    noise
        Standard deviations: a number, or shaped like what is measured. Of a problem: None, since
        it has its own.
    error
        Bounds of the absolute errors of the entries of an array (N, m), 0 for an exact one.
    names
        Of the m parameters; by default those of the pytree p, or of the problem.
    scale
        Units in which the parameters are counted, like p: sizes ``|p_j|`` give relative
        standard errors. Not for problems, whose parameters are on the estimation scale.
    fixed
        Names of parameters that are known, and so left out.
    kind
        Of a problem: "fisher" is the expected information, with what noise parameters add to it;
        "gauss_newton" is J^T J of the residuals (measured - simulated) / noise.
    p
        Of a problem: the point on the estimation scale; None: nominal parameters.
    solver, setting
        Of a problem: the solver, with the keywords of `Problem.gradient`. None: certified, with
        `digits` and `time_limit` as keywords.

    Returns
    -------
    FisherInformation
        Its bars are rigorous for given and certified errors, to first order in the errors of the
        states; of a checked Jacobian, or by a solver, they rest on an estimate of the errors, times
        4.

    Raises
    ------
    SettingError
        For what does not belong together. What cannot be told is in ``.status``.
    """
    if isinstance(of, CheckedJacobian):
        _refuse(of="a checked Jacobian", error=error, p=p, solver=solver, **setting)
        return _of_checked(of, noise, names, scale, fixed)
    if hasattr(of, "measurements"):
        _refuse(of="a problem", noise=noise, error=error, names=names, scale=scale)
        return _of_problem(of, p, solver, fixed=fixed, kind=kind, **setting)
    if isinstance(of, str | os.PathLike):
        raise SettingError(
            f"fisher_information takes no path, and {str(of)!r} is one; read the problem by "
            "gradaudit.load_problem."
        )
    _refuse(of="an array", p=p, solver=solver, **setting)
    if error is None or noise is None:
        raise SettingError(
            "the Fisher information of an array takes `noise` and `error`, bounds of the errors of "
            "its entries; error=0.0 says that it is exact."
        )
    matrix = np.asarray(of, dtype=np.float64)
    if matrix.ndim != 2:
        raise SettingError(f"the Jacobian has the shape {matrix.shape}; it must be (N, m).")
    wrong = np.broadcast_to(np.asarray(error, dtype=np.float64), matrix.shape)
    if not np.all(wrong >= 0.0):
        raise SettingError("error has negative numbers or NaN; it has bounds of absolute errors.")
    own = [f"p[{k}]" for k in range(matrix.shape[1])] if names is None else list(names)
    return _weighted(matrix, wrong, noise, own, scale, fixed, source="given", reason="")


def _refuse(*, of: str, **given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            raise SettingError(f"{name} is not a setting of the Fisher information of {of}.")


def _of_problem(
    problem: Any, p: ArrayLike | None, solver: str | None, **setting: Any
) -> FisherInformation:
    with extras_by_name("gradaudit.fisher_information of a problem"):
        from gradaudit.problem.information import approximate_information, certified_information

    if solver is None:
        for name in setting:
            if name not in ("fixed", "kind", "digits", "time_limit"):
                raise SettingError(
                    f"{name} is a setting of a solver; without `solver` the information is "
                    "certified, and takes digits and time_limit."
                )
        return certified_information(problem, p, **setting)
    return approximate_information(problem, p, solver=solver, **setting)


def _of_checked(
    result: CheckedJacobian, noise: Any, names: Any, scale: Any, fixed: Sequence[str]
) -> FisherInformation:
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jtu.tree_leaves(result)):
        raise SettingError(
            "fisher_information takes numbers, and inside of jit, vmap or scan there are none: "
            "return the checked Jacobian from there and call it outside."
        )
    if np.ndim(result.warnings.failed):
        raise SettingError(
            "the checked Jacobian is a batch: call fisher_information for each of its members."
        )
    if noise is None:
        raise SettingError("noise is missing: the standard deviations of what is measured.")
    value = jtu.tree_leaves(result.value)
    matrix, own = _matrix(result.value, result.jacobian)
    wrong, _ = _matrix(result.value, result.error)
    names = own if names is None else list(names)
    raw = float(result.raw_relative_error)
    alike = np.allclose(wrong, raw * np.abs(matrix), rtol=1e-9, atol=0.0)
    if raw > 0.0 and matrix.size > 1 and alike:
        raise SettingError(
            "the checked Jacobian has no error of each entry, only one of the whole; compute it "
            "with propagate=True."
        )
    if len(jtu.tree_leaves(noise)) == len(value) > 1:
        parts = zip(jtu.tree_leaves(noise), value, strict=True)
        noise = np.concatenate([np.broadcast_to(s, np.shape(v)).ravel() for s, v in parts])
    elif len(value) == 1:
        noise = np.broadcast_to(np.asarray(noise, dtype=float), np.shape(value[0])).ravel()
    wrong = SAFETY * wrong + ROUNDING * np.abs(matrix)
    return _weighted(
        matrix, wrong, noise, names, scale, fixed, source="estimated", reason=_reason(result, raw)
    )


def _matrix(value: Any, tree: Any) -> tuple[Array, list[str]]:
    """The Jacobian of a pytree by a pytree as a matrix (N, m), and names of its columns."""
    structure: Any = jtu.tree_structure(value)
    rows, names = [], list[str]()
    for leaf, own in zip(jtu.tree_leaves(value), structure.flatten_up_to(tree), strict=True):
        shape, columns, names = np.shape(leaf), [], []
        for path, part in jtu.tree_leaves_with_path(own):
            columns.append(np.asarray(part, dtype=float).reshape(int(np.prod(shape)), -1))
            inner = np.shape(part)[len(shape) :]
            label = f"p{jtu.keystr(path)}"
            names += [label + (str(list(k)) if k else "") for k in np.ndindex(*inner)]
        rows.append(np.concatenate(columns, axis=1))
    return np.concatenate(rows), names


def _reason(result: CheckedJacobian, raw: float) -> str:
    """Why the error of the entries tells nothing, in the words of the warnings; "" if it does."""
    warned = result.warnings
    found = [name for name in (*NOT_BY_ERROR, "uncontrolled", "saturated") if getattr(warned, name)]
    if not found:
        return ""
    text = " ".join(warned.messages())
    return f"the checked Jacobian has the warning {', '.join(found)}: {text}"


def _weighted(
    matrix: Array,
    wrong: Array,
    noise: Any,
    names: list[str],
    scale: Any,
    fixed: Sequence[str],
    *,
    source: str,
    reason: str,
) -> FisherInformation:
    count = matrix.shape[1]
    if len(names) != count:
        raise SettingError(f"names has {len(names)} names for {count} parameters.")
    deviations = np.broadcast_to(np.asarray(noise, dtype=float).ravel(), matrix.shape[:1])
    if not (np.all(deviations > 0.0) and np.all(np.isfinite(deviations))):
        raise SettingError("noise has to be positive and finite: standard deviations.")
    for name in fixed:
        if name not in names:
            known = first_few(names, quoted=False)
            raise SettingError(f"fixed has {name!r}, which is none of {known}.")
    units = np.ones(count)
    if scale is not None:
        units = np.concatenate([np.ravel(np.asarray(s, float)) for s in jtu.tree_leaves(scale)])
        units = np.broadcast_to(units, (count,))
    kept = [k for k, name in enumerate(names) if name not in fixed]
    if not kept:
        raise SettingError("fixed has all of the parameters; leave at least one out of it.")
    weights = units[kept] / deviations[:, None]
    rows, errors = matrix[:, kept] * weights, wrong[:, kept] * weights
    return information(rows, errors, [names[k] for k in kept], source=source, reason=reason)
