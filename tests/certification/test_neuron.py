"""The neuron against an independent integrator, on a window short enough for a test."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from gradaudit import load_model
from gradaudit.certification import reference
from gradaudit.model.quadratures import with_integrals

WINDOW = 60.0  # ms, with the first spikes


@pytest.mark.slow
def test_agrees_with_dop853_on_the_augmented_system():
    model = replace(load_model("liu_neuron"), t_end=WINDOW, observations=13)
    result = reference(model, digits=10.0)
    assert result.status == "ok"
    field, size = with_integrals(model), model.n + 1
    p = jnp.asarray(model.nominal)

    @jax.jit
    def augmented(t, z):
        y, s = z[:size], z[size:].reshape(size, model.m)
        columns = jax.vmap(
            lambda dy, dp: jax.jvp(lambda y, p: field(t, y, p), (y, p), (dy, dp))[1],
            in_axes=(1, 0),
            out_axes=1,
        )(s, jnp.eye(model.m))
        return jnp.concatenate([field(t, y, p), columns.reshape(-1)])

    start = np.concatenate([model.declared_state, [0.0], np.zeros(size * model.m)])
    other = solve_ivp(
        lambda t, z: np.asarray(augmented(t, z)), (0.0, WINDOW), start,
        method="DOP853", rtol=1e-10, atol=1e-12, t_eval=result.times,
    )  # fmt: skip
    values = other.y.T
    slopes = values[:, size:].reshape(-1, size, model.m)
    np.testing.assert_allclose(result.states, values[:, : model.n], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(result.integrals[:, 0], values[:, model.n], rtol=1e-7, atol=1e-9)
    scale = np.abs(slopes).max(axis=0)
    assert np.max(np.abs(result.sensitivities - slopes[:, :-1]) / scale[:-1]) < 1e-7
    assert np.max(np.abs(result.integral_sensitivities - slopes[:, -1:]) / scale[-1:]) < 1e-7
