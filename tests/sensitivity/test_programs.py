"""A compiled program serves another model only if its functions still do what they did."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit.backend.jaxpr.tracing import fingerprint

FACTOR = np.array([1.0])


class Decay:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, t, y, p):
        return -self.factor * p[0] * y


def by_array(t, y, p):
    return -jnp.asarray(FACTOR) * p[0] * y


def start(p):
    return p * FACTOR


def model(field, k=1.0, initial_state=None):
    return gradaudit.Model(
        name="decay",
        vector_field=field,
        states={"a": (1.0, "")},
        parameters={"k": (k, "")},
        t_end=1.0,
        initial_state=initial_state,
    )


def solved(made):
    return gradaudit.sensitivities(made, rtol=1e-9, times=[1.0])


def test_the_same_functions_at_other_parameters_are_not_compiled_again():
    field = Decay(1.0)
    solved(model(field))
    again = solved(model(field, k=2.0))
    assert again.stats["compile_seconds"] == 0.0
    assert again.states[0, 0] == pytest.approx(np.exp(-2.0), rel=1e-7)


@pytest.mark.slow
def test_the_same_functions_over_another_window_are_not_compiled_again():
    """The steps are those of the window: its end is the last step's, and bounds the others."""
    made = model(Decay(1.0))
    solved(made)
    longer = dataclasses.replace(made, t_end=3.0)
    again = gradaudit.sensitivities(longer, rtol=1e-9, times=[3.0])
    assert again.stats["compile_seconds"] == 0.0
    # An error of 1e-9 a step, of 100 steps.
    assert again.states[0, 0] == pytest.approx(np.exp(-3.0), rel=1e-7)
    assert again.sensitivities[0, 0, 0] == pytest.approx(-3.0 * np.exp(-3.0), rel=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["attribute", "array", "start"])
def test_what_a_function_closes_over_may_change(kind):
    field = by_array if kind == "array" else Decay(1.0)
    begin = start if kind == "start" else None
    solved(model(field, initial_state=begin))
    if kind == "attribute":
        field.factor = 2.0
    else:
        FACTOR[:] = 2.0  # an array, in place
    try:
        found = solved(model(field, initial_state=begin))
    finally:
        FACTOR[:] = 1.0
    state = 2.0 * np.exp(-1.0) if kind == "start" else np.exp(-2.0)
    slope = 0.0 if kind == "start" else -2.0 * np.exp(-2.0)
    assert found.states[0, 0] == pytest.approx(state, rel=1e-7)
    assert found.sensitivities[0, 0, 0] == pytest.approx(slope, rel=1e-6, abs=1e-8)


@jax.custom_jvp
def by_own_rule(p):
    return p * p


@pytest.mark.parametrize("factors", [(1.0, 2.0), (2.0, 1.0)])
def test_a_derivative_of_its_own_that_has_changed_is_seen(factors):
    """As in a notebook in which a rule is corrected; the function itself is what it was."""
    found = []
    for factor in factors:
        by_own_rule.defjvp(lambda x, v, factor=factor: (x[0] * x[0], factor * x[0] * v[0]))
        found.append(fingerprint(lambda t, y, p: by_own_rule(p) - y, (None, 1, 1)))
        again = fingerprint(lambda t, y, p: by_own_rule(p) - y, (None, 1, 1))
        assert again == found[-1]
    assert found[0] != found[1]
