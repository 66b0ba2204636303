"""The Taylor method in double precision: its compiled integrator is built once for a model."""

from __future__ import annotations

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
