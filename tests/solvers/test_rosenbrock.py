"""Rosenbrock steps: order, damping, tangents, and rejection where a step cannot be made."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
import gradaudit.backend.jax_setup  # float64
from gradaudit.solvers import rosenbrock
from gradaudit.solvers.rodas5p import Rodas5P
from gradaudit.solvers.small_lu import solver_of


def solved(field, y0, p, n, t_end=1.0, at=None):
    return diffrax.diffeqsolve(
        diffrax.ODETerm(field),
        Rodas5P(),
        0.0,
        t_end,
        t_end / n,
        jnp.asarray(y0),
        args=p,
        saveat=diffrax.SaveAt(ts=jnp.array([t_end if at is None else at])),
    ).ys[0]


def growing(t, y, p):
    """y' = -p y^2 (1 + cos t), y(0) = 1: y = 1 / (1 + p (t + sin t))."""
    return -p * y * y * (1.0 + jnp.cos(t))


def exactly(t, p):
    return 1.0 / (1.0 + p * (t + np.sin(t)))


@pytest.mark.slow
@pytest.mark.parametrize(("at", "order"), [(None, 5), (0.512345, 4)])
def test_order_of_steps_and_of_dense_output(at, order):
    """Not linear, and it depends on time. With fewer steps the error changes sign."""
    t = 1.0 if at is None else at
    errors = [
        abs(solved(growing, [1.0], 2.0, n, at=at)[0] - exactly(t, 2.0)) for n in (40, 80, 160)
    ]
    assert np.log2(errors[0] / errors[2]) / 2 > order - 0.3


@pytest.mark.slow
def test_a_stage_is_the_same_in_a_loop_and_written_out(monkeypatch):
    """To rounding: weights of size 100 times numbers about 1."""
    args = (diffrax.ODETerm(growing), 0.2, 0.5, jnp.array([1.0, 0.3, 0.1]), 2.0, None, False)
    written = Rodas5P().step(*args)
    monkeypatch.setattr(rosenbrock, "WRITTEN_OUT", 0)
    looped = Rodas5P().step(*args)
    np.testing.assert_allclose(written[0], looped[0], rtol=1e-12)
    np.testing.assert_allclose(written[1], looped[1], atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("n", [2, 6])
def test_single_precision_stays_single(n):
    """Written out and in a loop: a solver's loop takes no state of another type."""
    args = (jnp.float32(0.2), jnp.float32(0.5), jnp.full(n, 0.5, jnp.float32), jnp.float32(2.0))
    y1, error, *_ = Rodas5P().step(diffrax.ODETerm(growing), *args, None, False)
    assert y1.dtype == error.dtype == jnp.float32


@pytest.mark.slow
@pytest.mark.parametrize("z", [-1e2, -1e6, -1e12, 1e6j])
def test_what_is_stiff_is_damped(z):
    """R(z) falls as 12.5 / |z|."""
    term = diffrax.ODETerm(lambda t, y, p: p * y)
    y1 = Rodas5P().step(term, 0.0, 1.0, jnp.ones(1, jnp.asarray(z).dtype), z, None, False)[0]
    assert abs(y1[0]) < 15.0 / abs(z)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("n", [3, 7, 20, 70])
def test_linear_systems(n):
    """With a zero on the diagonal, so that rows have to change places."""
    matrix = jnp.asarray(np.random.default_rng(n).normal(size=(n, n))).at[0, 0].set(0.0)
    b = jnp.arange(1.0, n + 1)
    np.testing.assert_allclose(solver_of(matrix)(b), np.linalg.solve(matrix, b), rtol=1e-9)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("direction", [jax.jacfwd, jax.jacrev])
def test_tangents_of_a_step_are_those_of_differences(direction):
    """Central differences of 1e-5: truncation 1e-10, rounding 1e-16 / 1e-5 times weights of 100."""

    def step(p):
        return Rodas5P().step(
            diffrax.ODETerm(growing), 0.2, 0.5, jnp.array([1.0, 0.3]), p, None, False
        )[0]

    difference = (step(2.0 + 1e-5) - step(2.0 - 1e-5)) / 2e-5
    np.testing.assert_allclose(direction(step)(2.0), difference, atol=1e-8)


def test_a_step_that_cannot_be_made_has_an_error_that_rejects_it():
    """Rounding may make a singular matrix one of condition 1e16; a root of -1/2 is NaN."""
    rate = 1.0 / Rodas5P.tableau.gamma
    singular = diffrax.ODETerm(lambda t, y, p: (y + 1.0) * rate)
    broken = diffrax.ODETerm(lambda t, y, p: jnp.sqrt(y - 1.5))
    errors = [
        Rodas5P().step(term, 0.0, 1.0, jnp.ones(2), None, None, False)[1]
        for term in (singular, broken)
    ]
    assert np.all(np.abs(errors[0]) > 1e10)
    assert np.all(np.isinf(errors[1]))


@pytest.mark.slow
def test_a_stiff_model_agrees_with_kvaerno5():
    """Both at 1e-7, so that they differ by some 1e-5 at most."""
    model = gradaudit.load_model("robertson")
    runs = [
        gradaudit.sensitivities(model, solver=name, rtol=1e-7, times=[40.0])
        for name in ("rodas5p", "kvaerno5")
    ]
    assert all(run.status == "ok" for run in runs)
    scaled = [run.sensitivities[0] * model.nominal for run in runs]
    np.testing.assert_allclose(*scaled, atol=1e-5)


@pytest.mark.slow
def test_prothero_and_robinson():
    """y' = -k (y - cos t) - sin t with k = 1e6: the error does not follow the stiff rate.

    dy/dk = 0 along y = cos t, where the solve begins.
    """
    run = gradaudit.checked_jacfwd(
        lambda ys: ys[-1, 0],
        lambda t, y, p: -p * (y - jnp.cos(t)) - jnp.sin(t),
        y0=jnp.ones(1),
        ts=[2.0],
        solver=Rodas5P(),
        rtol=1e-6,
    )
    result = run(1e6)
    assert abs(float(result.value) - np.cos(2.0)) < 1e-6
    assert abs(float(result.jacobian) * 1e6) < 1e-6


@pytest.mark.slow
def test_the_estimate_of_a_smooth_problem():
    """Of order 5, two half steps have 1/32 of the error: the estimate is 31/32 of it."""
    run = gradaudit.checked_jacfwd(
        lambda ys: ys[-1, 0], growing, y0=jnp.ones(1), ts=[3.0], solver="rodas5p", rtol=1e-6
    )
    result = run(2.0)
    t = 3.0
    exact = -(t + np.sin(t)) / (1.0 + 2.0 * (t + np.sin(t))) ** 2
    assert abs(float(result.error) / (float(result.jacobian) - exact)) == pytest.approx(
        31 / 32, abs=0.03
    )


@pytest.mark.slow
def test_events_with_jumps():
    """The bouncing ball is integrated exactly between its bounces."""
    model = gradaudit.load_model("bouncing_ball")
    found = gradaudit.sensitivities(model, solver="rodas5p", method="saltation")
    exact = gradaudit.reference(model).sensitivities
    np.testing.assert_allclose(found.sensitivities, exact, atol=1e-9)
