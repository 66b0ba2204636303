"""Derivatives that are not finite where the rates are: which state, which function, when."""

import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit import Model
from gradaudit.errors import ModelWarning
from gradaudit.model.derivative_check import along_the_solution, undifferentiable
from gradaudit.model.validation import check


def model(field, start=1.0, k=1.0):
    return Model(
        name="m",
        vector_field=field,
        states={"c": (start, ""), "x": (0.0, "")},
        parameters={"k": (k, "")},
        t_end=2.0,
    )


def test_the_state_and_the_function_are_named():
    root = model(lambda t, y, p: jnp.stack([-p[0] * jnp.sqrt(y[0]), y[1]]), start=0.0)
    sentence = undifferentiable(root, 0.0, np.zeros(2))
    assert "rate of 'c' is finite at t = 0" in sentence
    assert "respect to 'c'" in sentence
    assert "sqrt(0)" in sentence
    with pytest.warns(ModelWarning, match="sqrt"):
        check(root)


def test_a_smooth_point_and_a_rate_that_is_not_finite_itself_give_no_sentence():
    smooth = model(lambda t, y, p: -p[0] * y)
    assert undifferentiable(smooth, 0.0, np.ones(2)) == ""
    pole = model(lambda t, y, p: 1.0 / y)
    assert undifferentiable(pole, 0.0, np.zeros(2)) == ""


def test_the_first_point_of_the_solution_is_found():
    """x = 500 t passes 709.78, where exp overflows, at t = 1.4196; points are 0.01 apart."""
    sigmoid = model(lambda t, y, p: jnp.stack([1.0 / (1.0 + jnp.exp(y[1])) - y[0], p[0]]), k=500.0)
    sentence = along_the_solution(sigmoid)
    assert "t = 1.42" in sentence
    assert "jax.nn.sigmoid" in sentence
    assert along_the_solution(model(lambda t, y, p: -p[0] * y)) == ""


def test_a_solution_that_slides_on_a_threshold_is_given_up():
    """c approaches k from both sides; SciPy's steps become ever shorter there."""
    sliding = model(
        lambda t, y, p: jnp.stack([jnp.where(y[0] < p[0], 1.0, -1.0), 0.0 * y[1]]), start=0.0, k=0.4
    )
    assert along_the_solution(sliding) == ""
