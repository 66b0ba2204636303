"""Rosenbrock methods: stiff steps that solve linear equations only, with one matrix for all.

With h the length of a step and J the Jacobian of f by y at its beginning, the stages are

    (I - gamma h J) u_i = gamma (h f(t_i, y_0 + sum_j a_ij u_j) + sum_j C_ij u_j + h^2 d_i df/dt)

and nothing has to be iterated, so that XLA compiles a whole solve as one loop.

Tangents of a step contain second derivatives of f, of which only directional ones are taken: where
A u = b, it is A du = db - dA u, with the factors of A that there are. A u is written as a product
of J and u by forward AD, whose tangent costs about as much as two tangents of f. No tangent of the
matrix is formed, and its factors are not differentiated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gradaudit.backend.shapes import ComplexStates, Flag, Scalar, ScalarLike
from gradaudit.solvers.small_lu import solver_of

Row = tuple[float, ...]

WRITTEN_OUT = 2
"""Most states for which the stages are written out.

With 2 states that takes 0.6 of the time of a loop over stages, and twice as long to compile; with 4
states 0.85 of the time, and three times as long to compile.
"""


@dataclass(frozen=True)
class Tableau:
    """Coefficients of a stiffly accurate method of s stages, in the variables u.

    Of the last two stages, and of the solution, the point of evaluation is that of the stage
    before plus its u; the last u is the embedded error.

    Attributes
    ----------
    gamma
        The diagonal.
    a
        Rows of 1 to s - 3 weights: where the stages 2 to s - 2 evaluate f.
    C
        Rows of 1 to s - 1 weights: the stages before each one on its right-hand side.
    c
        (s,) Times of the stages, as fractions of the step.
    d
        (s,) Weights of df/dt.
    dense
        Rows of s weights k_1, k_2, ... in (1 - x) y_0 + x (y_1 + (1 - x) (k_1 + x (k_2 + ...))).
    """

    gamma: float
    a: tuple[Row, ...]
    C: tuple[Row, ...]
    c: Row
    d: Row
    dense: tuple[Row, ...]


class Rosenbrock(diffrax.AbstractAdaptiveSolver):
    """A method that `tableau` says, for a state that is one array (n,), real or complex."""

    tableau: ClassVar[Tableau]

    term_structure: ClassVar[Any] = diffrax.ODETerm

    @property
    def interpolation_cls(self) -> Callable[..., DenseOutput]:
        return DenseOutput

    def func(self, terms: Any, t0: Scalar, y0: ComplexStates, args: Any) -> ComplexStates:
        return terms.vf(t0, y0, args)

    def init(self, terms: Any, t0: Scalar, t1: Scalar, y0: ComplexStates, args: Any) -> None:
        return None

    def step(
        self,
        terms: Any,
        t0: Scalar,
        t1: Scalar,
        y0: ComplexStates,
        args: Any,
        solver_state: None,
        made_jump: bool | Flag,
    ) -> tuple[ComplexStates, ComplexStates, dict[str, Any], None, Any]:
        tableau = self.tableau
        t0, t1 = jnp.asarray(t0), jnp.asarray(t1)
        # The first carries the direction of time, which `terms` may have turned.
        h, dt = terms.contr(t0, t1), t1 - t0
        gamma_h = tableau.gamma * h
        first, push = jax.linearize(lambda t, y: terms.vf(t, y, args), t0, y0)
        at_rest, no_time = jnp.zeros_like(y0), jnp.zeros_like(t0)

        def product(v: ComplexStates) -> ComplexStates:
            return v - gamma_h * push(no_time, v)

        matrix = jax.vmap(product, in_axes=1, out_axes=1)(jnp.eye(y0.size, dtype=y0.dtype))
        by_factors = solver_of(lax.stop_gradient(matrix))
        drift = h * dt * push(jnp.ones_like(t0), at_rest)

        def solve(b: ComplexStates) -> ComplexStates:
            return lax.custom_linear_solve(
                product,
                b,
                lambda _, b: by_factors(b),
                lambda _, b: jax.linear_transpose(by_factors, b)(b)[0],
            )

        if y0.size <= WRITTEN_OUT:
            us, last = self._written_out(solve, terms.vf, (t0, t1, h), y0, args, first, drift)
        else:
            us, last = self._in_a_loop(solve, terms.vf, (t0, t1, h), y0, args, drift)
        y1, error = last + us[-1], us[-1]
        sound = jnp.all(jnp.isfinite(y1)) & jnp.all(jnp.isfinite(error))
        error = jnp.where(sound, error, jnp.inf)
        ks = tuple(_combine(row, us) for row in tableau.dense)
        return y1, error, {"y0": y0, "y1": y1, "ks": ks}, None, diffrax.RESULTS.successful

    def _written_out(
        self, solve: Any, field: Any, span: Any, y0: Any, args: Any, first: Any, drift: Any
    ) -> Any:
        """The u of the stages, and where the last one evaluated the field."""
        tableau, (t0, t1, h) = self.tableau, span
        us: list[ComplexStates] = []
        stage = y0
        for i, (c, d) in enumerate(zip(tableau.c, tableau.d, strict=True)):
            if i == 0:
                slope = first
            else:
                stage = (
                    y0 + _combine(tableau.a[i - 1], us) if i <= len(tableau.a) else stage + us[-1]
                )
                # Not t0 + dt, which rounding may put behind a jump.
                slope = field(t1 if c == 1.0 else t0 + c * (t1 - t0), stage, args)
            right = h * slope + d * drift
            if i > 0:
                right = right + _combine(tableau.C[i - 1], us)
            us.append(solve(tableau.gamma * right))
        return us, stage

    def _in_a_loop(self, solve: Any, field: Any, span: Any, y0: Any, args: Any, drift: Any) -> Any:
        """The same, which compiles sooner where there are many states."""
        tableau, (t0, t1, h) = self.tableau, span
        size = len(tableau.c)
        a, C = np.zeros((size, size)), np.zeros((size, size))
        for i, row in enumerate(tableau.a, 1):
            a[i, :i] = row
        for i in (size - 2, size - 1):
            a[i] = a[i - 1]
            a[i, i - 1] = 1.0
        for i, row in enumerate(tableau.C, 1):
            C[i, :i] = row
        c = jnp.asarray(tableau.c, dtype=t0.dtype)
        times = jnp.where(c == 1.0, t1, t0 + c * (t1 - t0))
        real = jnp.real(y0).dtype

        def weighted(weights: Any, us: Any) -> Any:
            # No product of matrices, which is a call out of the compiled loop.
            return jnp.sum(weights[:, None] * us, axis=0)

        def one(us: Any, x: Any) -> Any:
            i, t, a, C, d = x
            slope = field(t, y0 + weighted(a, us), args)
            u = solve(tableau.gamma * (h * slope + d * drift + weighted(C, us)))
            return us.at[i].set(u), None

        xs = (jnp.arange(size), times, *(jnp.asarray(z, dtype=real) for z in (a, C, tableau.d)))
        us, _ = lax.scan(one, jnp.zeros((size, y0.size), dtype=y0.dtype), xs)
        return list(us), y0 + weighted(jnp.asarray(a[-1], dtype=real), us)


class DenseOutput(diffrax.AbstractLocalInterpolation):
    """The polynomial through `y0` and `y1` whose bend the rows of `Tableau.dense` give."""

    t0: ScalarLike
    t1: ScalarLike
    y0: ComplexStates
    y1: ComplexStates
    ks: tuple[ComplexStates, ...]

    def evaluate(
        self, t0: ScalarLike, t1: ScalarLike | None = None, left: bool = True
    ) -> ComplexStates:
        del left
        if t1 is not None:
            return self.evaluate(t1) - self.evaluate(t0)
        x = _fraction(self.t0, t0, self.t1)
        bend = self.ks[-1]
        for k in reversed(self.ks[:-1]):
            bend = k + x * bend
        return (1.0 - x) * self.y0 + x * (self.y1 + (1.0 - x) * bend)


def _fraction(begin: ScalarLike, t: ScalarLike, end: ScalarLike) -> Scalar:
    """(t - begin) / (end - begin), and 0 where the step has no length."""
    length = jnp.asarray(end - begin)
    empty = length == 0.0
    return jnp.where(empty, 0.0, (t - begin) / jnp.where(empty, 1.0, length))


def _combine(weights: Row, us: list[ComplexStates]) -> ComplexStates:
    """Sum of weight times u over the weights that are not zero."""
    first, *rest = ((w, u) for w, u in zip(weights, us, strict=True) if w != 0.0)
    total = first[0] * first[1]
    for weight, u in rest:
        total = total + weight * u
    return total
