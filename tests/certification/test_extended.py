"""A reference in long double is the reference, with bounds that its errors keep."""

from __future__ import annotations

import mpmath
import numpy as np

import gradaudit


def test_states_and_sensitivities_in_long_double_keep_their_bounds():
    model = gradaudit.Model(
        name="decay",
        vector_field=lambda t, y, p: -p[0] * y,
        states={"x": (1.5, "")},
        parameters={"k": (0.75, "")},
        t_end=2.0,
    )
    found = gradaudit.reference(model, [1.0, 2.0])
    fine = found.extended
    np.testing.assert_array_equal(fine.states.astype(np.float64), found.states)
    np.testing.assert_array_equal(fine.sensitivities.astype(np.float64), found.sensitivities)
    with mpmath.workdps(40):
        for row, t in enumerate((1, 2)):
            exact = mpmath.mpf("1.5") * mpmath.exp(-mpmath.mpf("0.75") * t)
            for value, goal, bound in (
                (fine.states[row, 0], exact, fine.state_bounds[row, 0]),
                (fine.sensitivities[row, 0, 0], -t * exact, fine.sensitivity_bounds[row, 0, 0]),
            ):
                high = float(value)
                wrong = abs(mpmath.mpf(high) + mpmath.mpf(float(value - high)) - goal)
                assert wrong <= bound
                # 12 digits were asked for, of an entry that is not negligible
                assert bound <= 1e-12 * abs(goal)
