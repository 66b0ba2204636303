"""The reference through events: saltation, frozen branches, and refusals that say why."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import eventful
import gradaudit
from gradaudit import Event, Model, TranslationError

RANDOM = np.random.default_rng(20)


def settings_of(make):
    """The nominal setting and two others, within 20 %."""
    names = {
        "bouncing_ball": ("height", "gravity", "restitution"),
        "switch_in_time": ("off",),
        "switch_in_state": ("threshold",),
        "rectified": ("frequency",),
        "integrate_and_fire": ("current", "tau", "threshold"),
    }[make.__name__]
    nominal = dict(zip(names, make().nominal, strict=False))
    if make is eventful.bouncing_ball:
        nominal = {"height": 1.0, "gravity": 9.81, "restitution": 0.8}
    return [{}] + [
        {name: value * RANDOM.uniform(0.9, 1.1) for name, value in nominal.items()}
        for _ in range(1)
    ]


CASES = [(make, setting) for make in eventful.MODELS for setting in settings_of(make)]


@pytest.mark.sampled(10)
@pytest.mark.parametrize(("make", "setting"), CASES)
def test_no_entry_claims_more_digits_than_hold(make, setting):
    """Against the closed form, which in double precision is itself good to about 1e-14."""
    model = make(**setting)
    reference = gradaudit.reference(model)
    assert reference.status == "ok"
    assert reference.digits >= 12
    exact = np.stack(
        [jax.jacfwd(model.exact_solution, argnums=1)(t, model.nominal) for t in reference.times]
    )
    error = np.abs(reference.sensitivities - exact)
    largest = np.max(np.abs(exact), axis=(0, 1))
    claimed = np.nan_to_num(10.0**-reference.digits.per_entry) * np.abs(exact)
    counted = np.isfinite(reference.digits.per_entry)
    assert np.all(error[counted] <= (claimed + 3e-14 * largest)[counted])
    assert np.max(error / largest) < 1e-12


@pytest.mark.slow
def test_events_come_back_with_the_derivative_of_their_time():
    reference = gradaudit.reference(eventful.bouncing_ball())
    first, second = reference.events
    g, e, h = 9.81, 0.8, 1.0
    fall = np.sqrt(2.0 * h / g)
    np.testing.assert_allclose(first.time, fall, rtol=1e-14)
    np.testing.assert_allclose(first.slope, [-fall / (2 * g), 0.0, fall / (2 * h)], atol=1e-15)
    np.testing.assert_allclose(second.time, fall * (1.0 + 2.0 * e), rtol=1e-14)
    np.testing.assert_allclose(second.slope[1], 2.0 * fall, rtol=1e-13)


def periodic_dose(**changes) -> Model:
    """A dose in the first of every five hours, by a remainder; two events for its edges."""
    events = {
        "on": Event(when=lambda t, y, p: jnp.sin(jnp.pi * t / 5.0)),
        "off": Event(when=lambda t, y, p: jnp.sin(jnp.pi * (t - 1.0) / 5.0)),
    }
    settings = {
        "name": "dose",
        "vector_field": lambda t, y, p: jnp.where(jnp.mod(t, 5.0) < 1.0, p[0], 0.0) - p[1] * y,
        "states": {"c": (0.0, "mg/L")},
        "parameters": {"dose": (1.5, "mg/L/h"), "k": (0.3, "1/h")},
        "t_end": 12.0,
        "events": events,
    }
    return Model(**{**settings, **changes})


@pytest.mark.slow
def test_periodic_doses_have_their_closed_form():
    reference = gradaudit.reference(periodic_dose())
    assert reference.digits >= 12

    def exact(t, p):
        total = 0.0
        for start in (0.0, 5.0, 10.0):
            rise = jnp.clip(t - start, 0.0, 1.0)
            decay = jnp.maximum(t - start - 1.0, 0.0)
            total += p[0] / p[1] * -jnp.expm1(-p[1] * rise) * jnp.exp(-p[1] * decay)
        return total

    at = [10, 33, 45, 70, 88]
    expected = [jax.grad(exact, argnums=1)(reference.times[i], periodic_dose().nominal) for i in at]
    np.testing.assert_allclose(reference.sensitivities[at, 0], expected, rtol=1e-12)


def test_a_switch_without_its_event_is_refused_and_the_time_is_named():
    declared = periodic_dose().events
    model = periodic_dose(events={"on": declared["on"]})
    with pytest.raises(TranslationError, match=r"switches branches at t = 1, where none of the"):
        gradaudit.reference(model)
    with pytest.raises(TranslationError, match=r"events=\{\"threshold\": gradaudit.Event"):
        gradaudit.reference(periodic_dose(events={}))


def test_sliding_along_a_threshold_is_no_reference():
    model = Model(
        name="sliding",
        vector_field=lambda t, y, p: jnp.where(y > 0.0, -p[0], p[0]),
        states={"y": (1.0, "1")},
        parameters={"a": (2.0, "1/s")},
        t_end=1.0,
        events={"zero": Event(when=lambda t, y, p: y[0])},
    )
    reference = gradaudit.reference(model)
    assert reference.status.startswith("uncertified: sliding")
    assert np.all(np.isfinite(reference.sensitivities[reference.times < 0.49]))


def test_grazing_is_no_reference():
    """y = (t - 1)^2 + 0 touches zero: the event's time has no derivative."""
    model = Model(
        name="grazing",
        vector_field=lambda t, y, p: 2.0 * (t - p),
        states={"y": (1.0, "1")},
        parameters={"a": (1.0, "s")},
        t_end=2.0,
        events={"touch": Event(when=lambda t, y, p: y[0] - 1e-25, jump=lambda t, y, p: y + 1.0)},
    )
    reference = gradaudit.reference(model)
    assert reference.status.startswith("uncertified: grazing") or not reference.events


@pytest.mark.slow
def test_events_at_one_time_are_one_event_if_their_slopes_agree():
    """A pulse ends where the next begins, at a time that is no parameter."""
    model = Model(
        name="pulses",
        vector_field=lambda t, y, p: (
            (
                jnp.where((t > 1.0) & (t < 2.0), p[0], 0.0)
                + jnp.where((t > 2.0) & (t < 3.0), p[1], 0.0)
            )
            * jnp.ones(1)
        ),
        states={"y": (0.0, "1")},
        parameters={"a": (1.5, "1/s"), "b": (0.7, "1/s")},
        t_end=4.0,
        events={
            "begin": Event(when=lambda t, y, p: t - 1.0),
            "end": Event(when=lambda t, y, p: t - 2.0),
            "next": Event(when=lambda t, y, p: t - 2.0),
            "last": Event(when=lambda t, y, p: t - 3.0),
        },
    )
    reference = gradaudit.reference(model)
    assert reference.digits >= 12
    np.testing.assert_allclose(reference.sensitivities[-1, 0], [1.0, 1.0], rtol=1e-13)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("field", "when"),
    [
        (lambda t, y, p: jnp.where(t < p, 1.0, 3.0), lambda t, y, p: t - 0.43),
        (lambda t, y, p: jnp.where(y < p, 1.0, 3.0), lambda t, y, p: t - 0.43),
        (lambda t, y, p: jnp.where(t < p, 1.0, 3.0), lambda t, y, p: y[0] - 0.43),
    ],
)
def test_an_event_that_a_switch_meets_by_chance_is_no_event_of_it(field, when):
    """At p = 0.43 they are at one time, for other p they are not: dy/dp is -2 behind the switch."""
    model = Model(
        name="chance",
        vector_field=field,
        states={"y": (0.0, "1")},
        parameters={"p": (0.43, "1")},
        t_end=1.0,
        events={"chance": Event(when=when)},
    )
    assert gradaudit.reference(model).status.startswith("uncertified: simultaneous_events")


@pytest.mark.slow
def test_a_remainder_by_a_parameter_has_a_boundary_that_does_not_move():
    """y' = p - y in the first half of each period, else -y: the closed form on (0, 3/2 periods)."""

    def vector_field(t, y, p):
        on = jnp.mod(t, p[1]) < 0.5 * p[1]
        return jnp.where(on, p[0], 0.0) - y

    model = Model(
        name="pulses",
        vector_field=vector_field,
        states={"y": (0.0, "")},
        parameters={"height": (1.5, ""), "period": (0.8, "")},
        t_end=1.0,
        events={
            "off": Event(when=lambda t, y, p: t - 0.5 * p[1]),
            "on": Event(when=lambda t, y, p: t - p[1]),
        },
    )
    result = gradaudit.reference(model, np.array([1.0]))

    def closed(p):
        off, on = 0.5 * p[1], p[1]
        return p[0] * (jnp.exp(off - 1.0) - jnp.exp(-1.0) + 1.0 - jnp.exp(on - 1.0))

    assert result.status == "ok"
    np.testing.assert_allclose(
        result.sensitivities[0, 0], jax.grad(closed)(jnp.array([1.5, 0.8])), rtol=1e-12
    )


@pytest.mark.slow
def test_what_all_solves_lose_in_rounding_behind_a_start_is_no_agreement():
    """cos falls through 1 - 1e-6; what it loses in the first 1e-11 of the window is rounding.

    That is alike in double and in long double precision, and 4e-15 of the derivative.
    """
    omega, level = 1.3, 1.0 - 1e-6
    model = Model(
        name="falling",
        vector_field=lambda t, y, p: jnp.stack([p[0] * y[1], -p[0] * y[0], -y[2]]),
        states={"sine": (0.0, ""), "cosine": (1.0, ""), "y": (1.0, "")},
        parameters={"omega": (omega, ""), "level": (level, "")},
        t_end=10.0,
        events={
            "low": Event(
                when=lambda t, y, p: y[1] - p[1],
                direction=-1,
                jump=lambda t, y, p: jnp.stack([y[0], y[1], y[2] + 1.0]),
            )
        },
    )
    found = gradaudit.reference(model, np.array([2.0]), method="taylor")
    with mpmath.workdps(40):
        w, c = mpmath.mpf(omega), mpmath.mpf(level)
        slope = -1 / (w * mpmath.sqrt(1 - c**2))
        exact = slope * mpmath.exp(mpmath.acos(c) / w - 2)
        wrong = abs(mpmath.mpf(str(found.extended.sensitivities[0, 2, 1])) - exact)
    assert found.status == "ok"
    assert wrong <= found.extended.sensitivity_bounds[0, 2, 1]
