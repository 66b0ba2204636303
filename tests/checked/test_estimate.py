"""The error along one direction is the product of the full one with that direction."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit.checked.solve import Problem, solve
from gradaudit.errors import SettingError
from gradaudit.model.probe_direction import signs
from gradaudit.solvers.tangent_solver import StateAndTangents, TangentArgs


def solved(model, direction, solver="tsit5"):
    seeds = jnp.diag(jnp.asarray(model.nominal))
    return solve(
        Problem(model.vector_field, 0.0, model.t_end, jnp.asarray([0.4, 1.0]) * model.t_end),
        StateAndTangents(jnp.asarray(model.declared_state), jnp.zeros((model.n, model.m))),
        TangentArgs.along(jnp.asarray(model.nominal), seeds, 1e-4, 1e-7),
        solver,
        diffrax.PIDController(rtol=1e-4, atol=1e-7),
        dt0=0.01,
        max_steps=10_000,
        propagate=True,
        direction=direction,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "solver"), [("lotka_volterra", "tsit5"), ("robertson@t_end=0.4", "kvaerno3")]
)
def test_probing_is_the_product_with_the_direction(name, solver):
    """On the same grid and with the same perturbed solve states; tangents are linear to rounding.

    An implicit step is solved to its root finder's tolerance with either, hence 1e-6.
    """
    model = gradaudit.load_model(name)
    direction = jnp.asarray(signs(model.m))
    whole, along = (jax.jit(lambda d=d: solved(model, d, solver))() for d in (None, direction))
    np.testing.assert_allclose(along.tangents, whole.tangents, rtol=1e-9)
    np.testing.assert_allclose(along.errors, whole.errors, rtol=1e-6, atol=1e-14)
    wanted = whole.tangent_errors @ direction
    scale = np.max(np.abs(wanted))
    np.testing.assert_allclose(along.tangent_errors[..., 0], wanted, atol=1e-6 * scale)


def test_signs_depend_on_the_number_of_parameters_alone():
    for m in (1, 5, 20):
        assert np.array_equal(signs(m), signs(m))
        assert set(signs(m)) <= {-1.0, 1.0}


def test_another_word_is_refused():
    with pytest.raises(SettingError, match="probe"):
        gradaudit.checked_jacfwd(
            lambda ys: ys[-1], lambda t, y, p: -p * y, y0=[1.0], ts=[1.0], propagate="prob"
        )
