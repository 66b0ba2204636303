"""Events at t = 0 and what they make of the initial state."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit import Event, Model, ModelError
from gradaudit.model.quadratures import initial_state
from gradaudit.model.start_events import start_events


def model(**events):
    return Model(
        name="m",
        vector_field=lambda t, y, p: -p[0] * y,
        states={"a": (1.0, ""), "b": (3.0, "")},
        parameters={"k": (0.5, ""), "dose": (2.0, ""), "at": (0.0, "")},
        t_end=1.0,
        events=events,
    )


def add(when=lambda t, y, p: t, **more):
    return Event(when=when, jump=lambda t, y, p: y + p[1], **more)


def start(m):
    p = jnp.asarray(m.nominal)
    return np.asarray(initial_state(m, p)), np.asarray(jax.jacfwd(lambda p: initial_state(m, p))(p))


def test_a_dose_at_the_start_is_in_the_initial_state_with_its_derivative():
    y, slopes = start(model(dose=add()))
    assert y.tolist() == [3.0, 5.0]
    assert slopes.tolist() == [[0.0, 1.0, 0.0]] * 2


def test_an_event_that_goes_the_other_way_or_is_switched_off_does_not_happen():
    assert start_events(model(dose=add(direction=-1))) == ()
    assert start_events(model(dose=add(at_start=False))) == ()
    assert start_events(model(dose=add(lambda t, y, p: t - 0.1))) == ()


def test_a_time_that_depends_on_a_parameter_is_refused_by_name():
    with pytest.raises(ModelError, match=r"'dose' happens at t = 0 itself.*'at'"):
        start_events(model(dose=add(lambda t, y, p: t - p[2])))


def test_assignments_of_two_events_exchange_two_states():
    def of(index, name):
        return Event(
            when=lambda t, y, p: t, jump=lambda t, y, p: jnp.full(2, y[index]), assigns=(name,)
        )

    assert start(model(one=of(1, "a"), two=of(0, "b")))[0].tolist() == [3.0, 1.0]


def test_an_order_that_counts_is_refused_and_a_priority_settles_it():
    double = Event(when=lambda t, y, p: t, jump=lambda t, y, p: 2.0 * y)
    with pytest.raises(ModelError, match="Give them priorities"):
        start_events(model(dose=add(), double=double))
    first = add(priority=1)
    assert start(model(dose=first, double=double))[0].tolist() == [6.0, 10.0]


def test_a_jump_at_the_start_triggers_another_event():
    reset = Event(
        when=lambda t, y, p: y[0] - 2.0, direction=1, jump=lambda t, y, p: jnp.stack([0.0, y[1]])
    )
    assert start(model(dose=add(), reset=reset))[0].tolist() == [0.0, 5.0]
