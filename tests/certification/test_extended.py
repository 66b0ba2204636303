"""A reference in long double is the reference, with bounds that its errors keep."""

from __future__ import annotations

import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import gradaudit
from gradaudit.certification.heyoka.precision import QUAD, available


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


@pytest.mark.skipif(not available(QUAD), reason="heyoka has no quad precision here")
def test_two_solves_in_quad_precision_with_the_same_rounding_keep_their_bounds():
    """What rounding leaves at the start grows by e^39, in both alike: more than they disagree by.

    The first state is sin t, which the others, 3 sin t and 3 cos t, drive.
    """
    model = gradaudit.Model(
        name="repelled",
        vector_field=lambda t, y, p: jnp.stack([p[0] * (y[0] - y[1] / 3) + y[2] / 3, y[2], -y[1]]),
        states={"x": (0.0, ""), "s": (0.0, ""), "c": (3.0, "")},
        parameters={"rate": (2.3, "")},
        t_end=17.3,
    )
    times, solves = np.array([6.5, 13.0, 17.3]), []

    def lacking(found):
        solves.extend([] if found.quad is None else [found.quad])
        return None if len(solves) == 2 else np.ones(1, dtype=bool)

    gradaudit.reference(model, times, digits=np.inf, lacking=lacking, method="taylor")
    assert len(solves) == 2
    with mpmath.workdps(40):
        exact = [mpmath.sin, lambda t: 3 * mpmath.sin(t), lambda t: 3 * mpmath.cos(t)]
        for found in solves:
            for row, t in enumerate(times):
                for i, state in enumerate(exact):
                    wrong = abs(mpmath.mpf(str(found.states[row, i])) - state(mpmath.mpf(t)))
                    assert wrong <= found.state_bounds[row, i]
