"""Radau IIA methods: implicit Runge-Kutta steps of order 2 s - 1 in s stages, for stiff problems.

With h the length of a step, the stages z_i = y(t + c_i h) - y of the collocation polynomial solve

    A^-1 z = h f(t + c h, y + z)

by simplified Newton iterations with the Jacobian J of f at the beginning of the step. Along the
eigenvectors of A^-1 they fall into systems with matrices lambda I - h J, one of them real, the
others pairs of complex conjugates of which one is solved. Iterations begin at z = 0, although the
polynomial of the step before is nearer: a step to an observation has none, and where the step of
the grid is so long that it needs one, the iterations of the shorter step diverge. The error
estimate is the difference to an embedded formula of order s, filtered by (I - h J / lambda)^-1 of
the real system; a second time with f at y plus that estimate, so that it is small for what is stiff
(Hairer and Wanner, Solving Ordinary Differential Equations II, section IV.8).

Tangents of the stages are those of the root: they solve one linear system of s N unknowns, with
the Jacobians at the stages, whose elimination serves all of them. They need no iteration, which
could fail where the one for the states has converged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optimistix
from jax import lax

from gradaudit.backend.shapes import ComplexStates, Flag, Scalar, ScalarLike
from gradaudit.solvers.radau_coefficients import Coefficients, radau
from gradaudit.solvers.small_lu import solver_of

Linear = Callable[[Any], Any]


class Radau(diffrax.AbstractImplicitSolver, diffrax.AbstractAdaptiveSolver):
    """The method of `stages` stages, for a state that is one array (N,), real or complex.

    Tolerances, norm and kappa of the iterations are those of the root finder.
    """

    stages: ClassVar[int]

    root_finder: Any = diffrax.with_stepsize_controller_tols(diffrax.VeryChord)()
    root_find_max_steps: int = 10

    term_structure: ClassVar[Any] = diffrax.ODETerm

    @property
    def interpolation_cls(self) -> Callable[..., DenseOutput]:
        return DenseOutput

    def order(self, terms: Any) -> int:
        return 2 * self.stages - 1

    def error_order(self, terms: Any) -> int:
        return self.stages + 1

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
        own, real = radau(self.stages), y0.real.dtype
        t0, t1 = jnp.asarray(t0), jnp.asarray(t1)
        # The first carries the direction of time, which `terms` may have turned.
        h, dt = terms.contr(t0, t1), t1 - t0
        c, coupling, dense = (jnp.asarray(x, real) for x in (own.c, own.inverse, own.dense))
        times = jnp.where(c == 1.0, t1, t0 + c * dt)  # rounding may put t0 + dt behind a jump

        def residual(z: Any) -> Any:
            rates = jax.vmap(lambda t, z: terms.vf(t, y0 + z, args))(times, z)
            return _times(coupling, z) - h * rates

        slope, push = jax.linearize(lambda y: terms.vf(t0, y, args), y0)
        unit = jnp.eye(y0.size, dtype=y0.dtype)
        h_jacobian = lax.stop_gradient(h * jax.vmap(push, in_axes=1, out_axes=1)(unit))
        by_real = solver_of(own.eigenvalues[0].real.astype(real) * unit - h_jacobian)
        newton = _along_eigenvectors(own, h_jacobian, by_real)
        z, solved = lax.custom_root(
            residual,
            jnp.zeros((self.stages, *y0.shape), y0.dtype),
            lambda residual, start: self._iterated(residual, newton, y0, start),
            _by_jacobians_at_stages,
            has_aux=True,
        )
        rest = _times(own.eigenvalues[0].real * own.error[None], z)[0]

        def estimate(slope: ComplexStates) -> ComplexStates:
            def product(v: ComplexStates) -> ComplexStates:
                return own.eigenvalues[0].real.astype(real) * v - h * push(v)

            return _solved(product, by_real, h * slope + rest)

        error = estimate(terms.vf(t0, y0 + estimate(slope), args))
        y1 = y0 + z[-1]
        sound = (solved > 0) & jnp.all(jnp.isfinite(y1)) & jnp.all(jnp.isfinite(error))
        # A step to an observation is not rejected: there the failure has to be seen in the result.
        y1, error = jnp.where(sound, y1, jnp.nan), jnp.where(sound, error, jnp.inf)
        failed = diffrax.RESULTS.promote(optimistix.RESULTS.nonlinear_divergence)
        result = diffrax.RESULTS.where(sound, diffrax.RESULTS.successful, failed)
        return y1, error, {"y0": y0, "y1": y1, "q": _times(dense, z)}, None, result

    def _iterated(self, residual: Linear, newton: Linear, y0: Any, start: Any) -> Any:
        """The stages (s, N), and 1 where the iterations have converged, else 0."""
        finder = self.root_finder

        def going(carry: Any) -> Any:
            _, _, count, converged, lost = carry
            return (count < self.root_find_max_steps) & ~converged & ~lost

        def once(carry: Any) -> Any:
            z, moved_before, count, _, _ = carry
            change = newton(residual(z))
            scale = finder.atol + finder.rtol * jnp.maximum(jnp.abs(y0), jnp.abs(y0 + z[-1]))
            moved = finder.norm((change / scale).T)  # whose norm looks at the first states
            rate, begun = moved / moved_before, count > 0
            near = moved * rate < finder.kappa * (1.0 - rate)
            # Within the tolerance rounding may stop them.
            converged = begun & jnp.where(rate < 1.0, near, moved <= 1.0) | (moved <= 0.0)
            lost = ~jnp.isfinite(moved) | (begun & (rate >= 1.0) & ~converged)
            return z - change, moved, count + 1, converged, lost

        no, huge = jnp.asarray(False), jnp.asarray(jnp.inf, y0.real.dtype)
        z, _, _, converged, _ = lax.while_loop(going, once, (start, huge, 0, no, no))
        return z, converged.astype(huge.dtype)


class Radau5(Radau):
    """Three stages, order 5."""

    stages: ClassVar[int] = 3


class Radau9(Radau):
    """Five stages, order 9."""

    stages: ClassVar[int] = 5


class DenseOutput(diffrax.AbstractLocalInterpolation):
    """The collocation polynomial y0 + q_1 x + q_2 x^2 + ..., which is of order s."""

    t0: ScalarLike
    t1: ScalarLike
    y0: ComplexStates
    y1: ComplexStates
    q: Any

    def evaluate(
        self, t0: ScalarLike, t1: ScalarLike | None = None, left: bool = True
    ) -> ComplexStates:
        del left
        if t1 is not None:
            return self.evaluate(t1) - self.evaluate(t0)
        length = jnp.asarray(self.t1 - self.t0)
        empty = length == 0.0
        x = jnp.where(empty, 0.0, (t0 - self.t0) / jnp.where(empty, 1.0, length))
        total = jnp.zeros_like(self.y0)
        for row in self.q[::-1]:
            total = (total + row) * x
        return self.y0 + total


def _along_eigenvectors(own: Coefficients, h_jacobian: Any, by_real: Linear) -> Linear:
    """(A^-1 - h J)^-1 of an array (s, N), by one elimination for each pair of eigenvalues.

    Of complex conjugates one is enough for real arrays. A complex array is a pair of real ones, for
    the eigenvalues would mix its imaginary part with the real one: that of a complex step is 1e-30
    of it and would be lost in its rounding.
    """
    if jnp.iscomplexobj(h_jacobian):
        n, real = len(h_jacobian), own.eigenvalues[0].real
        parts = jnp.block([[h_jacobian.real, -h_jacobian.imag], [h_jacobian.imag, h_jacobian.real]])
        by_parts = solver_of(jnp.asarray(real, parts.dtype) * jnp.eye(2 * n) - parts)
        pair = _along_eigenvectors(own, parts, by_parts)

        def solve_pair(b: Any) -> Any:
            x = pair(jnp.concatenate([b.real, b.imag], axis=1))
            return lax.complex(x[:, :n], x[:, n:])

        return solve_pair

    kind = np.promote_types(h_jacobian.dtype, np.complex64)
    others = slice(1, (len(own.c) + 1) // 2)
    down, up = (jnp.asarray(x, kind) for x in (own.to_eigen[others], own.from_eigen[:, others]))
    real_down, real_up = own.to_eigen[0].real, own.from_eigen[:, 0].real
    values = jnp.asarray(own.eigenvalues[others], kind)
    unit = jnp.eye(len(h_jacobian), dtype=kind)
    matrices = values[:, None, None] * unit - h_jacobian.astype(kind)

    def solve(b: Any) -> Any:
        x = jax.vmap(lambda a, b: solver_of(a)(b))(matrices, _times(down, b))
        along = by_real(_times(real_down[None], b)[0])
        pairs = 2.0 * _times(up, x).real
        return jnp.asarray(real_up, b.dtype)[:, None] * along + pairs

    return solve


def _by_jacobians_at_stages(product: Linear, b: Any) -> Any:
    """The solution (s, N) of a system like A^-1 - h J, with a J of its own in each stage."""
    s, n = b.shape
    unit, coupling = jnp.eye(n, dtype=b.dtype), jnp.asarray(radau(s).inverse, b.dtype)
    # Of the same state in all stages, the couplings add up.
    alike = jax.vmap(lambda v: product(jnp.tile(v, (s, 1))), out_axes=2)(unit)
    blocks = alike - jnp.sum(coupling, axis=1)[:, None, None] * unit
    own = jnp.eye(s, dtype=b.dtype)[:, None, :, None] * blocks[:, :, None, :]  # (s, N, s, N)
    matrix = (own + coupling[:, None, :, None] * unit[:, None, :]).reshape(s * n, s * n)

    def flat(v: Any) -> Any:
        return product(v.reshape(s, n)).reshape(-1)

    return _solved(flat, solver_of(lax.stop_gradient(matrix)), b.reshape(-1)).reshape(s, n)


def _times(matrix: Any, v: Any) -> Any:
    """Their product as a sum: XLA calls out of a compiled loop for one of matrices.

    The matrix may be real in double precision, the vectors (s, N) of any kind.
    """
    kind = jnp.result_type(v.dtype, jnp.complex64) if jnp.iscomplexobj(matrix) else v.dtype
    return jnp.sum(jnp.asarray(matrix, kind)[:, :, None] * v, axis=1)


def _solved(product: Linear, by_factors: Linear, b: Any) -> Any:
    """The solution of product(x) = b, with its derivatives from those of `product`."""
    return lax.custom_linear_solve(
        product,
        b,
        lambda _, b: by_factors(b),
        lambda _, b: jax.linear_transpose(by_factors, b)(b)[0],
    )
