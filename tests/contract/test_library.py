"""Every model of the library keeps what a model promises."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit.loading import library_names

NAMES = library_names()
EXACT = [name for name in NAMES if gradaudit.load_model(name).exact_solution is not None]


@pytest.fixture(params=NAMES)
def model(request):
    return gradaudit.load_model(request.param)


def test_name_is_the_name_of_its_file(model):
    assert model.source.endswith(f"{model.name}.py")


def test_says_what_it_is_and_where_it_is_from(model):
    assert model.description
    assert model.citation
    assert model.mechanism
    assert model.regime in ("good", "bad", "horrible")
    assert model.time_unit


def test_vector_field_is_finite_and_differentiable_at_the_start(model):
    y, p = jnp.asarray(model.declared_state), jnp.asarray(model.nominal)
    for argument in (1, 2):
        jacobian = jax.jacfwd(model.vector_field, argnums=argument)(0.0, y, p)
        assert np.all(np.isfinite(jacobian))


def test_every_parameter_matters_somewhere(model):
    """Along a short solve some derivative with respect to each parameter is not zero."""
    result = gradaudit.sensitivities(model, rtol=1e-4)
    assert result.status == "ok"
    assert np.all(np.max(np.abs(result.sensitivities), axis=(0, 1)) > 0.0)


@pytest.mark.parametrize("name", EXACT)
def test_exact_solution_satisfies_the_equation(name):
    model = gradaudit.load_model(name)
    p = jnp.asarray(model.nominal)
    np.testing.assert_allclose(model.exact_solution(0.0, p), model.declared_state, rtol=1e-14)
    for t in np.linspace(0.0, model.t_end, 7):
        y = model.exact_solution(t, p)
        rate = jax.jacfwd(model.exact_solution)(t, p)
        np.testing.assert_allclose(rate, model.vector_field(t, y, p), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", EXACT)
def test_reference_agrees_with_the_closed_form(name):
    """To 1e-13: the closed form itself is evaluated in double precision."""
    model = gradaudit.load_model(name)
    reference = gradaudit.reference(model)
    assert reference.status == "ok"
    assert reference.digits >= 12
    exact = np.stack(
        [jax.jacfwd(model.exact_solution, argnums=1)(t, model.nominal) for t in reference.times]
    )
    largest = np.max(np.abs(exact), axis=(0, 1))
    assert np.max(np.abs(reference.sensitivities - exact) / largest) < 1e-13
