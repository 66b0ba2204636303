"""What a Taylor series cannot see, or cannot begin with: closed forms in long double."""

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Model
from gradaudit.certification.step_inspection import BATCH, PANEL, Inspector


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


LINE = Model(
    name="line",
    vector_field=lambda t, y, p: p,
    states={"y": (0.0, "1")},
    parameters={"k": (2.0, "1")},
    integrands={"area": lambda t, y, p: y[0]},
    t_end=10.0,
)


class Steps:
    """What an inspector reads of heyoka: y = 2 t, its integral t^2, and an offset from t = 5 on."""

    def __init__(self, offset=0.0):
        self.offset = offset

    def step(self, time, size):
        self.time, self.last_h = time, size
        return self

    def update_d_output(self, time):
        passed = float(time > 5.0)
        self.d_output = np.array([2.0 * time, time**2 + self.offset * passed, 99.0])


def inspector_of(steps, ends=(4.0, 6.0, 7.0), calls=None):
    def field(times, states, nominal):
        if calls is not None:
            calls.append(len(times))
        return np.stack([np.full(len(times), nominal[0]), states[:, 0]], axis=1)

    inspector = Inspector(LINE, field)
    before = 0.0
    for end in ends:
        inspector.look(steps.step(end, end - before))
        before = end
    return inspector


def test_steps_that_follow_the_field_hide_nothing():
    assert inspector_of(Steps()).missed() is None


def test_a_step_that_does_not_add_up_is_named_by_its_middle():
    assert inspector_of(Steps(offset=1e-3)).missed() == pytest.approx(5.0, abs=1e-12)


def test_a_defect_at_the_size_of_rounding_is_no_finding():
    """Of an area of about 36."""
    assert inspector_of(Steps(offset=1e-9)).missed() is None
    assert inspector_of(Steps(offset=1e-6)).missed() is not None


def test_short_steps_and_those_that_failed_are_not_looked_at():
    short = 0.4 * PANEL * LINE.t_end
    assert inspector_of(Steps(offset=1.0), ends=[short]).missed() is None
    inspector = inspector_of(Steps(), ends=[])
    inspector.look(Steps().step(1.0, float("nan")))
    assert inspector.missed() is None


def test_the_field_is_called_with_one_number_of_points():
    """So that it is compiled once."""
    calls = []
    inspector_of(Steps(), calls=calls).missed()
    looks = 4 * round(7.0 / (PANEL * LINE.t_end))
    assert calls == [BATCH] * -(-looks // BATCH)


def test_a_point_at_which_the_field_is_undefined_is_no_finding():
    inspector = inspector_of(Steps())
    inspector.field = lambda times, states, nominal: np.full(states.shape, np.nan)
    assert inspector.missed() is None
