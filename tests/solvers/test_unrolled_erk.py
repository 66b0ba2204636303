"""Steps with their stages written out are diffrax's, to rounding."""

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit.backend.jax_setup  # noqa: F401  # float64
from gradaudit.solvers import unrolled_erk

TERM = diffrax.ODETerm(lambda t, y, p: jnp.stack([p * y[1], -y[0] * jnp.cos(t)]))
Y0 = jnp.array([1.0, 0.5])
NAMES = ("Tsit5", "Dopri8", "Dopri5", "Bosh3", "Heun", "Midpoint", "Ralston")


def step(solver, y0=Y0, made_jump=False, state=None):
    state = solver.init(TERM, 0.2, 0.5, y0, 2.0) if state is None else state
    return solver.step(TERM, 0.2, 0.5, y0, 2.0, state, made_jump)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", NAMES)
def test_a_step_its_error_and_its_dense_output_are_diffraxs(name):
    """In another order of summation: a few units in the last place of numbers about 1."""
    ours, theirs = (
        step(cls(scan_kind="lax")) for cls in (getattr(unrolled_erk, name), getattr(diffrax, name))
    )
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-15)
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-15)
    interpolants = (
        getattr(diffrax, name).interpolation_cls(t0=0.2, t1=0.5, **parts[2])
        for parts in (ours, theirs)
    )
    values = [interpolant.evaluate(0.3) for interpolant in interpolants]
    np.testing.assert_allclose(*values, atol=1e-15)


def test_a_method_that_reuses_its_last_slope_hands_it_on():
    """First same as last: the slope at the end of a step begins the next one."""
    y1, _, _, state, result = step(unrolled_erk.Tsit5())
    np.testing.assert_allclose(state, TERM.vf(0.5, y1, 2.0), rtol=1e-15)
    assert result == diffrax.RESULTS.successful
    assert unrolled_erk.Heun().init(TERM, 0.2, 0.5, Y0, 2.0) is None
    assert step(unrolled_erk.Heun())[3] is None


def test_after_a_jump_the_slope_that_was_handed_on_is_not_used():
    wrong = jnp.array([100.0, 100.0])
    plain, jumped, kept = (
        step(unrolled_erk.Tsit5(), state=state, made_jump=jump)
        for state, jump in (
            (None, False),
            (wrong, jnp.asarray(True)),
            (wrong, jnp.asarray(False)),
        )
    )
    np.testing.assert_array_equal(plain[0], jumped[0])
    assert np.max(np.abs(kept[0] - plain[0])) > 1.0


def test_complex_states_are_stepped_as_well():
    """The derivative of a step by its start, as a complex step, is that of a difference."""
    small = 1e-30
    y1 = step(unrolled_erk.Bosh3(), y0=Y0 + small * 1j * jnp.array([1.0, 0.0]))[0]
    ahead, behind = (
        step(unrolled_erk.Bosh3(), y0=Y0 + sign * jnp.array([0.5, 0.0]))[0] for sign in (1, -1)
    )
    # The field is linear in y, so a central difference has no truncation error.
    np.testing.assert_allclose(y1.imag / small, ahead - behind, rtol=1e-13)
