"""The solver "auto" of a checked Jacobian is chosen at the first call, said, and kept."""

from __future__ import annotations

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit.errors import SettingError
from gradaudit.sensitivity.solver_choice import FIXED_TIMES


def oscillator(t, y, p):
    """A pytree as state: one turn takes 2 pi over the square root of p."""
    del t
    return {"q": y["v"], "v": -p * y["q"]}


def robertson(t, y, p):
    """Rates from 0.04 to 3e7."""
    del t
    a, b, c = p[0] * y[0], p[1] * y[1] * y[2], p[2] * y[1] ** 2
    return jnp.stack([b - a, a - b - c, c])


def of_oscillator(**settings):
    y0 = {"q": 1.0, "v": 0.0}
    settings = {"y0": y0, "ts": [5.0], "propagate": False, **settings}
    return gradaudit.checked_jacfwd(lambda ys: ys["q"][-1], oscillator, **settings)


P = jnp.array([0.04, 1e4, 3e7])


def of_robertson(**settings):
    settings = {"y0": jnp.array([1.0, 0.0, 0.0]), "ts": [40.0], "propagate": False, **settings}
    return gradaudit.checked_jacfwd(lambda ys: ys[-1, 0], robertson, **settings)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "p", "solver"),
    [(of_oscillator, jnp.array(2.0), "tsit5"), (of_robertson, P, "rodas5p")],
)
def test_the_result_is_that_of_the_solver_that_it_names(build, p, solver):
    found = build(solver="auto")(p)
    assert found.chosen.solver == solver
    assert found.chosen.why.startswith("stiff" if solver == "rodas5p" else "not stiff")
    plain = build(solver=solver)(p)
    assert plain.chosen is None
    np.testing.assert_array_equal(found.jacobian, plain.jacobian)


@pytest.mark.slow
def test_the_first_call_decides_and_a_traced_call_may_follow():
    run = of_oscillator(solver="auto")
    first = run(jnp.array(2.0))
    inside = jax.jit(run)(jnp.array(2.0))
    assert inside.chosen == first.chosen
    batch = jax.vmap(run)(jnp.array([2.0, 3.0]))
    assert batch.jacobian.shape == (2,)
    np.testing.assert_allclose(batch.jacobian[0], first.jacobian, rtol=1e-9)  # rounding


def test_without_numbers_it_is_refused_by_name():
    with pytest.raises(SettingError, match='solver="auto" looks at the numbers of p'):
        jax.jit(of_oscillator(solver="auto"))(jnp.array(2.0))


def test_settings_are_checked_when_the_function_is_built():
    with pytest.raises(SettingError, match="rtol"):
        of_oscillator(solver="auto", rtol=-1.0)


def test_fixed_times_that_the_look_passes_over_are_in_the_reason():
    found = of_oscillator(solver="auto", jump_ts=[1.0])(jnp.array(2.0))
    assert found.chosen.why.endswith(f"; {FIXED_TIMES}")


@pytest.mark.slow
def test_a_solver_of_diffrax_stays_what_it_is():
    found = of_oscillator(solver=diffrax.Dopri5())(jnp.array(2.0))
    assert found.chosen is None


@pytest.mark.slow
def test_a_hessian_product_chooses_by_its_vector_field():
    product = gradaudit.checked_hvp(
        lambda ys: ys["q"][-1], oscillator, y0={"q": 1.0, "v": 0.0}, ts=[5.0], solver="auto"
    )
    found = product(jnp.array(2.0), jnp.array(1.0))
    assert found.chosen.solver == "tsit5"
    # q = cos(w t) with w = sqrt(p): d2q/dp2 = -t^2 cos(w t) / (4 p) + t sin(w t) / (4 p^1.5)
    w, t = np.sqrt(2.0), 5.0
    exact = -(t**2) * np.cos(w * t) / 8.0 + t * np.sin(w * t) / (4.0 * 2.0**1.5)
    assert found.jacobian == pytest.approx(exact, rel=1e-3)  # rtol is 1e-6


def test_the_drop_in_takes_solvers_of_diffrax_only():
    with pytest.raises(SettingError, match='solver "auto" is for'):
        gradaudit.diffeqsolve(
            diffrax.ODETerm(robertson), "auto", 0.0, 1.0, None, jnp.array([1.0, 0.0, 0.0]), args=P,
            stepsize_controller=diffrax.PIDController(rtol=1e-6, atol=1e-9),
        )  # fmt: skip
