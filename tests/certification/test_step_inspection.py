"""What a Taylor series cannot see, or cannot begin with: closed forms in long double."""

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Model


@pytest.mark.parametrize("c", [0.7, 1.5, 2.3])
def test_claimed_digits_hold_after_a_start_without_a_series(c):
    """a = k t and b' = a^c; the margin of 1.5e-16 is the rounding of the result to double."""
    model = Model(
        name="ramp",
        vector_field=lambda t, y, p: jnp.stack([p[0], y[0] ** p[1]]),
        states={"a": (0.0, ""), "b": (0.0, "")},
        parameters={"k": (1.3, ""), "c": (c, "")},
        t_end=2.0,
    )
    found = gradaudit.reference(model)
    assert found.status == "ok"
    t, k, c = np.longdouble(found.times[1:]), np.longdouble(1.3), np.longdouble(c)
    by_k = c * k ** (c - 1) * t ** (c + 1) / (c + 1)
    by_c = k**c * t ** (c + 1) * (np.log(k * t) / (c + 1) - 1 / (c + 1) ** 2)
    exact = np.stack([by_k, by_c], axis=1)
    error = np.abs(found.sensitivities[1:, 1] - exact) / np.max(np.abs(exact), axis=0)
    assert error.max() < 10.0 ** -float(found.digits) + 1.5e-16


def test_a_narrow_pulse_is_seen():
    """Its integral is 0.01 sqrt(pi); a step of a hundredth of the window would jump over it."""
    model = Model(
        name="pulse",
        vector_field=lambda t, y, p: jnp.stack([p[0] * jnp.exp(-(((t - 50.03) / 0.01) ** 2))]),
        states={"y": (0.0, "")},
        parameters={"k": (1.0, "")},
        t_end=100.0,
    )
    found = gradaudit.reference(model)
    assert found.status == "ok"
    assert found.sensitivities[-1, 0, 0] == pytest.approx(0.01 * np.sqrt(np.pi), rel=1e-10)


def test_a_kink_in_disguise_is_no_reference():
    model = Model(
        name="kink",
        vector_field=lambda t, y, p: jnp.stack([jnp.sqrt((t - p[0]) ** 2)]),
        states={"y": (0.0, "")},
        parameters={"k": (1.003, "")},
        t_end=2.0,
    )
    found = gradaudit.reference(model)
    assert found.status.startswith("uncertified")
