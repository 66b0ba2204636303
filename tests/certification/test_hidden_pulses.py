"""Pulses in time that no step and no look meets: their formula tells where they are."""

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Model
from gradaudit.certification.hidden_pulses import hidden_pulse

CENTRES = np.array([11.1, 22.2, 37.77])


def model(rate, t_end=100.0):
    return Model(
        name="pulse",
        vector_field=lambda t, y, p: p[0] * rate(t, p[1], p[2]) - 0.1 * y,
        states={"y": (0.0, "")},
        parameters={"b": (1.0, ""), "c": (37.77, ""), "w": (1e-6, "")},
        t_end=t_end,
    )


PULSES = {
    "gauss": lambda t, c, w: jnp.exp(-(((t - c) / w) ** 2)),
    "expanded": lambda t, c, w: jnp.exp(-(t * t - 2 * t * c + c * c) / w**2),
    "sech": lambda t, c, w: 1.0 - jnp.tanh((t - c) / w) ** 2,
    "train": lambda t, c, w: jnp.exp((jnp.cos(t - c) - 1.0) / w**2),
    "several": lambda t, c, w: jnp.sum(jnp.exp(-(((t - CENTRES) / w) ** 2))),
}
WIDE = {
    "gauss": lambda t, c, w: jnp.exp(-((t - c) ** 2)),
    "algebraic": lambda t, c, w: 1.0 / (1.0 + ((t - c) / w) ** 2),
    "step": lambda t, c, w: jnp.tanh((t - c) / w),
    "oscillation": lambda t, c, w: jnp.sin(t / w),
    "root": lambda t, c, w: jnp.sqrt((t - c) ** 2 + w),
    "no_time": lambda t, c, w: w,
}


@pytest.mark.parametrize("name", PULSES)
def test_a_pulse_is_found_at_its_centre(name):
    found = hidden_pulse(model(PULSES[name]), 100.0)
    assert found is not None
    centres = {"several": CENTRES, "train": 37.77 + 2 * np.pi * np.arange(-6, 10)}
    assert np.abs(found - centres.get(name, 37.77)).min() < 1e-7


@pytest.mark.parametrize("name", WIDE)
def test_what_leaves_a_trace_is_none(name):
    """Whether that is seen is for the inspection of the steps to say."""
    assert hidden_pulse(model(WIDE[name]), 100.0) is None


def test_a_pulse_behind_the_last_observation_does_not_matter():
    assert hidden_pulse(model(PULSES["gauss"]), 30.0) is None


@pytest.mark.parametrize("method", ["taylor", "collocation"])
def test_a_hidden_pulse_is_not_certified(method):
    """Of width 1e-6 in a window of 100: S = (0, 0, 0) had 15.6 digits, where b S_b = 2e-3."""
    found = gradaudit.reference(model(PULSES["gauss"]), method=method)
    assert found.status.startswith(
        "uncertified: about t = 37.77 the vector field has a kink, a jump"
    )
    assert not found.digits > 0.0
