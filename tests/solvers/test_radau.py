"""Radau steps: order, stability, tangents of the root, and rejection where there is none."""

from functools import partial

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
import gradaudit.backend.jax_setup  # float64
from gradaudit.solvers.radau import DenseOutput, Radau5, Radau9
from gradaudit.solvers.radau_coefficients import radau

BOTH = pytest.mark.parametrize("method", [Radau5, Radau9])
MOST = 50


def growing(t, y, p):
    """y' = -p y^2 (1 + cos t), y(0) = 1: y = 1 / (1 + p (t + sin t))."""
    return -p * y * y * (1.0 + jnp.cos(t))


def exactly(t, p):
    return 1.0 / (1.0 + p * (t + np.sin(t)))


def step(method, field, y0, p, h=0.3, t0=0.2, tolerance=1e-13, most=MOST):
    """y1, error and result of one step."""
    solver = method(diffrax.VeryChord(tolerance, tolerance), most)
    term = diffrax.ODETerm(field)
    state = solver.init(term, t0, t0 + h, y0, p)
    y1, error, _, _, result = solver.step(term, t0, t0 + h, y0, p, state, False)
    return y1, error, result


@pytest.mark.parametrize(("method", "steps"), [(Radau5, (20, 80)), (Radau9, (6, 12))])
def test_order_of_steps_and_of_dense_output(method, steps):
    """Not linear, and it depends on time. Dense output of order s has a local error h^(s + 1).

    Orders are asymptotic: with these numbers of steps they are reached to 0.4.
    """
    solver, term = method(diffrax.VeryChord(1e-13, 1e-13), MOST), diffrax.ODETerm(growing)

    @jax.jit
    def ends_with(n):
        """0.4 of the last step behind its beginning, and at its end."""

        def once(k, carry):
            y, state, _ = carry
            y1, _, dense, state, _ = solver.step(term, k / n, (k + 1) / n, y, 2.0, state, False)
            within = DenseOutput(t0=k / n, t1=(k + 1) / n, **dense).evaluate((k + 0.4) / n)
            return y1, state, within

        y0 = jnp.ones(1)
        start = y0, solver.init(term, 0.0, 1.0 / n, y0, 2.0), y0
        y1, _, within = jax.lax.fori_loop(0, n, once, start)
        return jnp.concatenate([within, y1])

    errors = [np.abs(ends_with(n) - exactly(np.array([1.0 - 0.6 / n, 1.0]), 2.0)) for n in steps]
    orders = np.log2(errors[0] / errors[1]) / np.log2(steps[1] / steps[0])
    s = method.stages
    assert orders[0] > s + 1 - 0.4
    assert orders[1] > 2 * s - 1 - 0.4


@pytest.mark.parametrize(("method", "kind"), [(Radau5, float), (Radau9, complex)])
def test_linear_steps_have_the_stability_function(method, kind):
    """R(z) = 1 + z b (1 - z A)^-1 1, which falls as s / |z|; the iterations are exact.

    To 1e-12 of the stages, which are about 1; a complex state takes all eigenvalues.
    """
    tableau = np.linalg.inv(radau(method.stages).inverse)
    unit, ones = np.eye(method.stages), np.ones(method.stages)
    run = jax.jit(lambda z: step(method, lambda t, y, p: p * y, jnp.ones(1, kind), z, 1.0)[0])
    for z in (-0.5, -30.0, -1e6) + ((3j, 1e6j) if kind is complex else ()):
        expected = 1.0 + z * tableau[-1] @ np.linalg.solve(unit - z * tableau, ones)
        assert abs(run(kind(z))[0] - expected) < 1e-12
        assert abs(expected) < 2.0 * method.stages / max(abs(z), method.stages)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "n"), [(Radau9, 2), (Radau5, 6)])
def test_tangents_of_a_step_are_those_of_differences(method, n):
    """By elimination in a loop and by LAPACK.

    Central differences of 1e-5: truncation 1e-10, and the iterations' 1e-15 / 1e-5.
    """

    def reached(p):
        y1, error, _ = step(method, growing, jnp.linspace(0.3, 1.0, n), p)
        return y1 + error

    compiled = jax.jit(reached)
    difference = (compiled(2.0 + 1e-5) - compiled(2.0 - 1e-5)) / 2e-5
    np.testing.assert_allclose(jax.jit(jax.jacfwd(reached))(2.0), difference, atol=1e-8)


@pytest.mark.sampled(2)
@BOTH
def test_a_complex_step_keeps_its_imaginary_part(method):
    """It is 1e-30 of the real part, so that no sum of the iterations may mix the two."""

    def reached(p):
        stiff = jnp.ones(1, jnp.asarray(p).dtype)
        return step(method, lambda t, y, p: -p * (y - jnp.cos(t)), stiff, p, tolerance=1e-6)[0]

    tangent = jax.jit(jax.jacfwd(reached))(30.0)
    np.testing.assert_allclose(jax.jit(reached)(30.0 + 1e-30j).imag / 1e-30, tangent, rtol=1e-9)


@pytest.mark.slow
def test_tangents_are_those_of_the_root_and_not_of_the_iterations():
    """However early the iterations end, and also backwards.

    Those to 1e-6 end within 1e-8, and tangents of the size 1 follow by some times that.
    """

    def reached(p, tolerance):
        return step(Radau5, growing, jnp.ones(1), p, tolerance=tolerance)[0]

    forwards, backwards = jax.jit(jax.jacfwd(reached)), jax.jit(jax.jacrev(reached))
    np.testing.assert_allclose(forwards(2.0, 1e-6), forwards(2.0, 1e-13), atol=1e-7)
    np.testing.assert_allclose(backwards(2.0, 1e-6), forwards(2.0, 1e-6), rtol=1e-12)


def test_single_precision_stays_single():
    """A solver's loop takes no state of another type."""
    y0, *others = (jnp.full(2, 0.5, jnp.float32), *map(jnp.float32, (2.0, 0.3, 0.2, 1e-4)))
    y1, error, _ = jax.eval_shape(partial(step, Radau5, growing), y0, *others)
    assert y1.dtype == error.dtype == jnp.float32


def test_a_step_that_is_not_solved_is_rejected():
    """Too few iterations, a root of -1/2, and a matrix that is singular to rounding."""

    @jax.jit
    def made(p, most):
        def field(t, y, p):
            return p[0] * (y + 1.0) + jnp.sqrt(p[1] * y + p[2])

        y1, error, result = step(Radau5, field, jnp.ones(2), p, 1.0, most=most)
        return y1, error, result == diffrax.RESULTS.successful

    for p, most in ((jnp.array([0.0, 1.0, 0.0]), 1), (jnp.array([0.0, 1.0, -1.5]), MOST)):
        y1, error, solved = made(p, most)
        assert np.all(np.isnan(y1))
        assert np.all(np.isinf(error))
        assert not solved
    singular = jnp.array([radau(3).eigenvalues[0].real, 0.0, 1.0])
    assert np.all(np.abs(made(singular, MOST)[1]) > 1e10)


def test_rejected_steps_are_made_again_shorter_until_the_solve_fails():
    """y' = -p y^(3/2), y = (1 + p t / 2)^-2: the first step is 1e5 times too long.

    The error is below the absolute tolerance. From y = -1 no step can be made.
    """

    @jax.jit
    def solved(y0, p):
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, y, p: -p * y * jnp.sqrt(y)), Radau5(), 0.0, 1.0, 1.0, y0,
            args=p, throw=False,
            stepsize_controller=diffrax.PIDController(rtol=1e-8, atol=1e-12, dtmin=1e-9,
                                                      force_dtmin=False),
        )  # fmt: skip
        good = solution.result == diffrax.RESULTS.successful
        return solution.ys[0, 0], solution.stats["num_rejected_steps"], good

    reached, rejected, good = solved(jnp.ones(1), 1e5)
    assert good
    assert rejected > 0
    assert abs(reached - (1.0 + 0.5e5) ** -2) < 1e-12
    assert not solved(-jnp.ones(1), 1.0)[2]


@pytest.mark.slow
@pytest.mark.parametrize("method", [Radau5, pytest.param(Radau9, marks=pytest.mark.slow)])
def test_stiff_systems_have_the_tangents_of_their_closed_forms(method):
    """Prothero and Robinson's y' = -k (y - cos t) - sin t, and v' = -p v, w' = k (v - w).

    With k = 1e6 the error does not follow the stiff rate; it is the tolerance times some units.
    From w = k / (k - p) on it is w = k / (k - p) exp(-p t), and dy/dk = 0 along y = cos t.
    """

    def field(t, y, p):
        rate, k = p
        u, v, w = y
        return jnp.stack([-k * (u - jnp.cos(t)) - jnp.sin(t), -rate * v, k * (v - w)])

    run = gradaudit.checked_jacfwd(
        lambda ys: ys[-1],
        field,
        y0=lambda p: jnp.stack([jnp.ones(()), jnp.ones(()), p[1] / (p[1] - p[0])]),
        ts=[2.0],
        solver=method(),
        rtol=1e-6,
        propagate=False,
    )
    p, k = 0.7, 1e6
    result, w = run(jnp.array([p, k])), k / (k - p)
    v = np.exp(-2.0 * p)
    np.testing.assert_allclose(result.value, [np.cos(2.0), v, w * v], atol=1e-6)
    by_rate = [0.0, -2.0 * v, (w / (k - p) - 2.0 * w) * v]
    by_k = [0.0, 0.0, -p / (k - p) ** 2 * v]
    np.testing.assert_allclose(
        result.jacobian * np.array([p, k]), np.array([by_rate, by_k]).T * np.array([p, k]),
        atol=1e-5,
    )  # fmt: skip


@pytest.mark.slow
def test_every_observation_has_a_value_where_steps_are_long():
    """The iterations of a step to an observation begin as those of a step of the grid.

    At this tolerance errors are 2e-6 of the largest sensitivity; the bound allows ten times that.
    """
    model = gradaudit.load_model("hires")
    found = gradaudit.sensitivities(model, solver="radau9", rtol=1e-5)
    assert found.status == "ok"
    exact = gradaudit.reference(model, found.times[1::50], digits=8.0).sensitivities
    largest = np.abs(exact).max(axis=(0, 1))
    assert np.abs((found.sensitivities[1::50] - exact) / largest).max() < 2e-5
