"""Where formulas switch and where events jump."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

import gradaudit


def test_piecewise_switches_where_its_events_are_zero(x, load):
    model = load(
        Species=x.S,
        Parameters=x.K + x.parameter("T", 4.0),
        Rules=x.rate_rule("S", "piecewise(k, time < T, -S, S >= 1 && time < 8, 0)"),
    )
    assert [x.rates(model, [2.0], t=t)[0] for t in (1.0, 5.0, 9.0)] == [0.5, -2.0, 0.0]
    when = {name: e.when(5.0, jnp.array([2.5]), model.nominal) for name, e in model.events.items()}
    assert when == {"time < T": 1.0, "S >= 1": 1.5, "time < 8": -3.0}
    assert all(e.jump is None for e in model.events.values())


def test_maxima_and_absolute_values_switch_too(x, load):
    model = load(Species=x.S, Parameters=x.K, Rules=x.rate_rule("S", "max(k, S) - abs(S - 1)"))
    assert x.rates(model, [0.25])[0] == 0.5 - 0.75
    when = sorted(
        float(e.when(0.0, jnp.array([2.0]), model.nominal)) for e in model.events.values()
    )
    assert when == [-1.5, 1.0]


def test_an_event_is_a_jump_where_its_trigger_becomes_true(x, load):
    model = load(
        Species=x.S,
        Parameters=x.K,
        Reactions=x.DECAY,
        Events=x.event("dose", "S < 1", S="S + 4 * k") + x.event("late", "time >= 7", S="1"),
    )
    dose, late = model.events["dose"], model.events["late"]
    assert (dose.direction, late.direction) == (1, 1)
    y, p = jnp.array([0.75]), jnp.asarray(model.nominal)
    assert float(dose.when(0.0, y, p)) == 0.25
    assert float(late.when(6.0, y, p)) == -1.0
    np.testing.assert_array_equal(dose.jump(0.0, y, p), [2.75])
    np.testing.assert_array_equal(late.jump(0.0, y, p), [1.0])


def test_sensitivities_go_through_an_event(x, load):
    """S = 3 (1 + D)^4 exp(-k t) after four doses, whose times depend on k and D."""
    model = load(
        Species=x.S,
        Parameters=x.K + x.parameter("D", 2.0),
        Reactions=x.DECAY,
        Events=x.event("dose", "S < 1", S="S + D"),
    )
    reference = gradaudit.reference(model, times=[10.0])
    assert reference.digits >= 10
    s = 3.0 * 3.0**4 * np.exp(-5.0)
    np.testing.assert_allclose(reference.states[0], [s], rtol=1e-13)
    np.testing.assert_allclose(
        reference.sensitivities[0, 0], [-10.0 * s, 4.0 * s / 3.0], rtol=1e-12
    )


def test_what_an_event_assigns_to_is_a_state(x, load):
    model = load(
        Species=x.S,
        Parameters=x.K.replace('constant="true"', 'constant="false"'),
        Reactions=x.reaction("r", "k * S", reactants=[("S", 1)]),
        Events=x.event("e", "time > 2", k="2 * k"),
    )
    assert list(model.states) == ["S", "k"]
    jump = model.events["e"].jump
    np.testing.assert_array_equal(jump(2.0, jnp.array([3.0, 0.5]), model.nominal), [3.0, 1.0])


def test_a_flag_that_is_compared_for_equality_stays_a_number(x, load):
    model = load(
        Species=x.S,
        Parameters=x.K + x.parameter("flag", 1.0),
        Rules=x.rate_rule("S", "piecewise(-k * S, flag == 1, 0)"),
    )
    assert list(model.parameters) == ["k"]
    assert model.events == {}
    np.testing.assert_allclose(x.rates(model), [-1.5], rtol=1e-15)
