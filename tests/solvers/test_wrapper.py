"""A wrapper that adds nothing changes nothing, and the nest of wrappers observes what is asked."""

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit.backend.jax_setup  # noqa: F401  # float64
from gradaudit.solvers.nest import nested, without_errors
from gradaudit.solvers.tangent_solver import (
    StateAndTangents,
    TangentArgs,
    TangentSolver,
    TangentTerm,
)
from gradaudit.solvers.wrapper import WrappedSolver

TERM = diffrax.ODETerm(lambda t, y, p: -p * y)


def solve(term, solver, y0, args, times):
    return diffrax.diffeqsolve(
        term, solver, 0.0, 1.0, 0.05, y0, args,
        saveat=diffrax.SaveAt(ts=times), adjoint=diffrax.ForwardMode(),
    )  # fmt: skip


@pytest.mark.slow
def test_a_wrapper_takes_the_steps_of_what_it_wraps():
    times = jnp.array([0.31, 1.0])
    plain, wrapped = (
        solve(TERM, solver, jnp.ones(1), jnp.array([0.7]), times)
        for solver in (diffrax.Tsit5(), WrappedSolver(diffrax.Tsit5()))
    )
    np.testing.assert_array_equal(plain.ys, wrapped.ys)
    assert WrappedSolver(diffrax.Dopri8()).order(TERM) == diffrax.Dopri8().order(TERM)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("estimate", [False, True])
@pytest.mark.parametrize("dense", [False, True])
def test_a_nest_gives_the_closed_form_and_its_tangent(estimate, dense):
    """y = exp(-p t), dy/dp = -t y; Tsit5 with 20 steps of 0.05 errs by less than 1e-8.

    Its interpolant is of fourth order: 1e-7 at the point between the steps.
    """
    p = jnp.array([0.7])
    start = StateAndTangents(jnp.ones(1), jnp.zeros((1, 1)))
    own = diffrax.Tsit5(scan_kind="lax")
    lifted = TangentTerm(TERM)
    solver, observer = (TangentSolver(own, TERM, watched=1) for _ in range(2))
    term, nest = nested(solver, observer, lifted, estimate=estimate, dense=dense)
    begin = without_errors(start, along_one=False) if estimate else start
    times = jnp.array([0.31, 1.0])
    solution = solve(term, nest, begin, TangentArgs.along(p, jnp.eye(1), 1e-6, 1e-9), times)
    exact = np.exp(-0.7 * times)
    np.testing.assert_allclose(solution.ys.y[:, 0], exact, atol=1e-7)
    np.testing.assert_allclose(solution.ys.tangents[:, 0, 0], -times * exact, atol=1e-7)
    if estimate:
        assert np.all(np.abs(solution.ys.error) < 1e-5)
