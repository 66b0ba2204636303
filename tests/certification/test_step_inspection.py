"""What a Taylor series cannot see, or cannot begin with: closed forms in long double."""

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Model
from gradaudit.certification.step_inspection import BATCH, PANEL, Inspector
from gradaudit.certification.tangent_system import directions_of, tangent_system


@pytest.mark.sampled(4)
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_kink_in_disguise_is_no_reference():
    model = Model(
        name="kink",
        vector_field=lambda t, y, p: jnp.stack([jnp.sqrt((t - p[0]) ** 2)]),
        states={"y": (0.0, "")},
        parameters={"k": (1.003, "")},
        t_end=2.0,
    )
    found = gradaudit.reference(model, time_limit=10.0)
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
    """What an inspector reads of heyoka: y = k t, its integral k t^2 / 2, and their slopes.

    With an offset of the integral, and one of its slope, from t = 5 on.
    """

    def __init__(self, offset=0.0, of_slope=0.0):
        self.offset, self.of_slope = offset, of_slope
        self.state = np.zeros(4)

    def step(self, time, size):
        self.time, self.last_h = time, size
        return self

    def update_d_output(self, time):
        passed = float(time > 5.0)
        area, slope = time**2 + self.offset * passed, 0.5 * time**2 + self.of_slope * passed
        self.d_output = np.array([2.0 * time, area, time, slope, 99.0])


def inspector_of(steps, ends=(4.0, 6.0, 7.0), calls=None):
    directions = directions_of(LINE)
    along = directions[0, 0]

    def field(times, states, nominal):
        if calls is not None:
            calls.append(len(times))
        full = np.full(len(times), 1.0)
        rows = [nominal[0] * full, along * full, states[:, 0], states[:, 1]]
        return np.stack(rows, axis=1)

    inspector = Inspector(LINE, directions, tangent_system(LINE, directions), field)
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


def test_a_slope_that_does_not_add_up_is_named_as_well():
    assert inspector_of(Steps(of_slope=1e-6)).missed() == pytest.approx(5.0, abs=1e-12)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("amplitude", [0.0, 1e-12])
def test_a_pulse_that_shows_in_a_sensitivity_alone_is_not_passed_over(amplitude):
    """dy/da = w sqrt(pi) exp(-k (t_end - c) + (k w / 2)^2), and steps are a tenth of the window."""
    width, centre = 0.01, 50.03
    model = Model(
        name="pulse",
        vector_field=lambda t, y, p: jnp.stack(
            [p[0] * jnp.exp(-(((t - centre) / width) ** 2)) - p[1] * y[0]]
        ),
        states={"y": (1.0, "")},
        parameters={"a": (amplitude, ""), "k": (0.1, "")},
        t_end=100.0,
    )
    found = gradaudit.reference(model, method="taylor", time_limit=5.0)
    exact = width * np.sqrt(np.pi) * np.exp(-0.1 * (100.0 - centre) + (0.1 * width / 2) ** 2)
    claimed = found.digits.by_parameter[0] if found.status == "ok" else 0.0
    assert abs(found.sensitivities[-1, 0, 0] / exact - 1.0) < 10.0**-claimed or claimed == 0.0


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
