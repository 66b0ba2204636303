"""The Taylor method in double precision: its compiled integrator is built once for a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gradaudit
from gradaudit.sensitivity import taylor


@pytest.mark.parametrize("name", ["logistic", "bouncing_ball"])
def test_a_second_call_builds_nothing_and_gives_the_same(name, monkeypatch):
    """Whatever was solved between, to other times: every solve begins at the initial state."""
    model = gradaudit.load_model(name)
    first = gradaudit.sensitivities(model, method="taylor", rtol=1e-9)
    monkeypatch.setattr(taylor, "build_system", None)
    gradaudit.sensitivities(model, method="taylor", rtol=1e-9, times=[0.3 * model.t_end])
    again = gradaudit.sensitivities(model, method="taylor", rtol=1e-9)
    np.testing.assert_array_equal(again.states, first.states)
    np.testing.assert_array_equal(again.sensitivities, first.sensitivities)
    assert [event.time for event in again.events] == [event.time for event in first.events]


def test_other_numbers_are_solved_by_the_same_integrator(monkeypatch):
    """Parameters, a start that depends on them, and the window, as in a fit."""

    def decay(k: float, a: float, t_end: float) -> gradaudit.Model:
        return replace(first, parameters={"k": (k, ""), "a": (a, "")}, t_end=t_end)

    first = gradaudit.Model(
        name="decay",
        vector_field=lambda t, y, p: -p[0] * y,
        initial_state=lambda p: p[1:] ** 2,
        states={"y": (1.0, "")},
        parameters={"k": (0.5, ""), "a": (1.0, "")},
        t_end=2.0,
    )
    gradaudit.sensitivities(first, method="taylor", rtol=1e-12, times=[2.0])
    monkeypatch.setattr(taylor, "build_system", None)
    for k, a, end in ((0.7, 1.5, 3.0), (0.5, 1.0, 2.0)):
        own = gradaudit.sensitivities(decay(k, a, end), method="taylor", rtol=1e-12, times=[end])
        y = a**2 * np.exp(-k * end)
        # heyoka's tolerance is for each step, relative to the largest entry; the steps are few
        np.testing.assert_allclose(own.states[0], y, rtol=1e-11)
        np.testing.assert_allclose(own.sensitivities[0, 0], [-end * y, 2 * y / a], rtol=1e-11)
