"""The vector field and its derivatives, compiled by heyoka, at many points at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.discrete_modes import Mode, Reader
from gradaudit.certification.heyoka.precision import Precision
from gradaudit.certification.heyoka.translate import state_variables, translate
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import with_integrals

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class VectorField:
    """Rates of states and integrals at K points, in one precision.

    Integrals have rates and take no part in them, so they are no arguments.

    Attributes
    ----------
    rates
        From points (1 + n + m, K), rows t, states, parameters: f (K, N).
    slopes
        From the same: the entries of the derivatives of f that are not zero everywhere, (K, E).
    rows, columns
        Where these entries are, (E,): states and integrals, then states and parameters; sorted.
    """

    n: int
    size: int
    m: int
    precision: Precision
    rates: Callable[[Array], Array]
    slopes: Callable[[Array], Array]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]

    def dense(self, entries: Array) -> tuple[Array, Array]:
        """The derivatives with respect to states (K, N, n) and parameters (K, N, m)."""
        whole: Array = np.zeros((len(entries), self.size, self.n + self.m), dtype=entries.dtype)
        whole[:, self.rows, self.columns] = entries
        return whole[..., : self.n], whole[..., self.n :]


def compile_field(model: Model, precision: Precision) -> VectorField:
    """Translate, differentiate and compile.

    Raises
    ------
    TranslationError
        If the vector field has something that has no series.
    """
    n, m = model.n, model.m
    variables = state_variables(model)
    t, y = hy.expression("t"), variables[:n]
    p = [hy.expression(f"p{j}") for j in range(m)]
    rates = translate(
        with_integrals(model),
        [t, variables, p],
        precision=precision,
        where=f"model {model.name!r}: vector_field",
    )
    return compile_rates(rates, [t, *y, *p], n, precision)


def compile_mode(reader: Reader, mode: Mode, precision: Precision) -> VectorField:
    """The same on given branches of the switches of a model with events."""
    model = reader.model
    p = [hy.expression(f"p{j}") for j in range(model.m)]
    t, y = hy.expression("t"), state_variables(model)[: model.n]
    rates, _ = reader.rates(mode, precision, p)
    own = [hy.subs(rate, {hy.time: t}) for rate in rates]
    return compile_rates(own, [t, *y, *p], model.n, precision)


def compile_rates(
    rates: list[hy.expression], arguments: list[hy.expression], n: int, precision: Precision
) -> VectorField:
    """Differentiate and compile rates (N,) of the arguments t, the n states and the parameters."""
    m = len(arguments) - 1 - n
    tensors = hy.diff_tensors(rates, diff_args=arguments[1:], diff_order=1)
    jacobian = np.asarray(tensors.jacobian, dtype=object).reshape(len(rates), n + m)
    places = [index for index, entry in np.ndenumerate(jacobian) if not _is_zero(entry)]
    rows, columns = np.array(places, dtype=np.int64).reshape(-1, 2).T
    return VectorField(
        n=n,
        size=len(rates),
        m=m,
        precision=precision,
        rates=_compiled(rates, arguments, precision),
        slopes=_compiled([jacobian[place] for place in places], arguments, precision),
        rows=rows,
        columns=columns,
    )


def _is_zero(entry: hy.expression) -> bool:
    """Whether an expression is the number 0, of any precision, which its text shows."""
    return not str(entry).strip("-0.")


def _compiled(
    expressions: list[hy.expression], arguments: list[hy.expression], precision: Precision
) -> Callable[[Array], Array]:
    if not expressions:
        return lambda points: np.empty((points.shape[1], 0), dtype=points.dtype)
    function = hy.cfunc(expressions, arguments, compact_mode=True, **precision.options)
    return lambda points: np.ascontiguousarray(function(np.ascontiguousarray(points)).T)
