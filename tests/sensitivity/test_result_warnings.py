"""What is said of sensitivities that are wrong at every tolerance."""

from __future__ import annotations

import warnings

import jax.numpy as jnp
import pytest

import gradaudit
from gradaudit.errors import ModelWarning
from gradaudit.sensitivity.result_warnings import neglected_terms_told_elsewhere


def test_a_missing_saltation_term_is_told_of_with_what_to_do():
    with pytest.warns(ModelWarning, match=r"'forward_ad' leaves out .* Take method=\"saltation\""):
        gradaudit.sensitivities("infusion")


@pytest.mark.slow
def test_a_switch_that_no_event_declares_is_told_of_as_such():
    with pytest.warns(
        ModelWarning, match="'dual_norm' leaves out .* Declare the switch as an event"
    ):
        gradaudit.sensitivities(undeclared(), method="dual_norm")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "method"), [("infusion", "saltation"), ("logistic", "dual_norm")]
)
def test_nothing_is_said_where_no_term_is_missing(model, method):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradaudit.sensitivities(model, method=method)


def test_a_caller_may_tell_of_it():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with neglected_terms_told_elsewhere():
            gradaudit.sensitivities("infusion")
    assert not caught


def undeclared() -> gradaudit.Model:
    return gradaudit.Model(
        name="undeclared",
        vector_field=lambda t, y, p: jnp.where(t < p[0], 1.0, 0.0) * jnp.ones(1),
        states={"y": (0.0, "1")},
        parameters={"p": (1.0, "1")},
        t_end=2.0,
    )
