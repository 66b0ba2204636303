"""Events of a file: delays, priorities, conditions of any form, and events at t = 0.

All models have closed forms: between events quantities are constant or decay as exp(-k t).
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import ModelError


def certified(model, times):
    """States and sensitivities of a reference with ten digits."""
    result = gradaudit.reference(model, times=times)
    assert result.status == "ok"
    assert result.digits >= 10
    return result.states, result.sensitivities


def numbers(x, **values: float) -> str:
    return "".join(x.parameter(name, value, constant=False) for name, value in values.items())


def test_two_events_at_once_swap_by_values_from_trigger_time(x, load):
    """A = exp(-k t) and B = 2 swap at t = 3; with values of execution time both would be B."""
    model = load(
        Parameters=x.K + numbers(x, A=1.0, B=2.0),
        Rules=x.rate_rule("A", "-k * A"),
        Events=x.event("a", "time >= 3", A="B") + x.event("b", "time >= 3", B="A"),
    )
    assert {model.events[name].assigns for name in "ab"} == {("A",), ("B",)}
    states, sensitivities = certified(model, [4.0])
    a, b = 2.0 * np.exp(-0.5), np.exp(-1.5)
    np.testing.assert_allclose(states[0], [a, b], rtol=1e-13)
    np.testing.assert_allclose(sensitivities[0, :, 0], [-a, -3.0 * b], rtol=1e-12)


def test_priorities_order_events_at_one_moment(x, load):
    """A = 1 becomes (A + D) k with the priorities as they are, and A k + D otherwise."""

    def event(name: str, priority: str, formula: str) -> str:
        more = f"<priority>{x.mathml(priority)}</priority>"
        text = x.event(name, "time >= 3", more, A=formula)
        return text.replace('useValuesFromTriggerTime="true"', 'useValuesFromTriggerTime="false"')

    for first, expected in (("2", (1.0 + 4.0) * 0.5), ("0", 0.5 + 4.0)):
        model = load(
            Parameters=x.K + x.parameter("D", 4.0) + numbers(x, A=1.0),
            Events=event("scale", "1", "A * k") + event("add", first, "A + D"),
        )
        states, _ = certified(model, [4.0])
        assert states[0, 0] == pytest.approx(expected, rel=1e-13)


def test_a_condition_is_true_on_the_right_sides_of_its_thresholds(x, load):
    model = load(
        Parameters=x.K + numbers(x, S=3.0, A=0.0),
        Rules=x.rate_rule("S", "-k * S"),
        Events=x.event("e", "!(time > 2) || S < 1", A="A + 1"),
    )
    jump = model.events["threshold: time > 2"].jump
    condition = list(model.states).index("e.condition")
    for time, s, true in ((2.0, 1.5, 0.0), (2.0, 0.5, 1.0)):
        y = jnp.asarray([s, 0.0, 1.0])
        assert jump(time, y, jnp.asarray(model.nominal))[condition] == true
    falls = model.events["threshold: S < 1"].jump(4.0, jnp.asarray([1.0, 0.0, 0.0]), model.nominal)
    assert falls[condition] == 1.0


def delayed(
    x, formula: str, *, early: bool, trigger: str = "S < 1", persistent: bool = True
) -> str:
    text = x.event("e", trigger, f"<delay>{x.mathml('d')}</delay>", A=formula)
    text = text.replace('persistent="true"', f'persistent="{str(persistent).lower()}"')
    word = str(early).lower()
    return text.replace('useValuesFromTriggerTime="true"', f'useValuesFromTriggerTime="{word}"')


@pytest.mark.parametrize("early", [True, False])
def test_a_delayed_event_stores_its_time_and_its_values(x, load, early):
    """S = 3 exp(-k t) is 1 at log(3) / k = 2.197; A becomes S there, or S one unit later."""
    model = load(
        Parameters=x.K + x.parameter("d", 1.0) + numbers(x, S=3.0, A=0.0),
        Rules=x.rate_rule("S", "-k * S"),
        Events=delayed(x, "S", early=early),
    )
    time = list(model.states).index("e.execution_time")
    p = jnp.asarray(model.nominal)
    waiting = model.events["e: triggered"].jump(2.25, jnp.asarray(model.declared_state), p)
    assert waiting[time] == 3.25
    assert model.events["e"].when(3.0, waiting, p) == -0.25
    assert ("e.A" in model.states) == early
    done = model.events["e"].jump(3.25, waiting.at[0].set(0.5), p)
    assert done[1] == (3.0 if early else 0.5)
    assert done[time] == -1.0


def test_executions_are_stored_in_the_order_of_their_times(x, load):
    model = load(
        executions=4,
        Parameters=x.K + numbers(x, S=3.0, A=0.0, d=4.0),
        Rules=x.rate_rule("S", "-k * S") + x.rate_rule("d", "-1"),
        Events=delayed(x, "S", early=True),
    )
    names, p = list(model.states), jnp.asarray(model.nominal)
    y, add = jnp.asarray(model.declared_state), model.events["e: triggered"].jump
    for t, s, delay in ((1.0, 3.0, 4.0), (2.0, 2.0, 1.0), (2.5, 1.0, 1.0)):
        y = add(t, y.at[names.index("S")].set(s).at[names.index("d")].set(delay), p)
    times = [y[names.index(f"e.execution_time{end}")] for end in ("", ".2", ".3", ".4")]
    values = [y[names.index(f"e.A{end}")] for end in ("", ".2", ".3")]
    assert times == [3.0, 3.5, 5.0, -1.0]
    assert values == [2.0, 1.0, 3.0]
    full = add(2.6, add(2.6, y, p), p)
    assert np.isnan(full).any()  # more than can be stored is no number, and no wrong number


def test_an_event_that_is_not_persistent_is_dropped(x, load):
    model = load(
        Parameters=x.K + x.parameter("d", 1.0) + numbers(x, S=3.0, A=0.0),
        Rules=x.rate_rule("S", "cos(k * time)"),
        Events=delayed(x, "7", early=True, trigger="S > 4", persistent=False),
    )
    p, events = jnp.asarray(model.nominal), model.events
    waiting = events["e: triggered"].jump(1.0, jnp.asarray(model.declared_state), p)
    dropped = events["e: dropped"].jump(1.5, waiting, p)
    assert events["e: dropped"].direction == -1
    np.testing.assert_array_equal(events["e"].jump(2.0, dropped, p), dropped)
    assert events["e"].jump(2.0, waiting, p)[1] == 7.0


def test_an_event_at_the_start_is_part_of_the_initial_state(x, load):
    """It is true at t = 0 and was not before: S = D exp(-k t)."""
    text = x.event("e", "time >= 0", S="D").replace('initialValue="true"', 'initialValue="false"')
    model = load(
        Parameters=x.K + x.parameter("D", 5.0) + numbers(x, S=3.0),
        Rules=x.rate_rule("S", "-k * S"),
        Events=text,
        only=["k", "D"],
    )
    states, sensitivities = certified(model, [2.0])
    s = 5.0 * np.exp(-1.0)
    np.testing.assert_allclose(states[0], [s], rtol=1e-13)
    np.testing.assert_allclose(sensitivities[0, 0], [-2.0 * s, s / 5.0], rtol=1e-12)


def test_an_event_that_was_true_before_the_start_does_not_happen_there(x, load):
    model = load(
        Parameters=x.K + numbers(x, S=3.0),
        Rules=x.rate_rule("S", "-k * S"),
        Events=x.event("e", "time >= 0", S="7"),
    )
    np.testing.assert_allclose(certified(model, [2.0])[0][0], [3.0 * np.exp(-1.0)], rtol=1e-13)


def test_a_threshold_of_parameters_at_the_start_is_refused(x, load):
    with pytest.raises(
        ModelError, match=r"event 'e' is exactly at its threshold 'S <= D' at t = 0"
    ):
        load(
            Parameters=x.K + x.parameter("D", 3.0) + numbers(x, S=3.0),
            Rules=x.rate_rule("S", "-k * S"),
            Events=x.event("e", "S <= D", S="7"),
        )


def test_events_at_the_start_whose_order_is_open_are_refused(x, load):
    texts = (
        x.event(name, "time >= 0", S=formula).replace('initialValue="true"', 'initialValue="false"')
        for name, formula in (("one", "k"), ("two", "2 * k"))
    )
    with pytest.raises(ModelError, match="'one', 'two' happen together at t = 0"):
        load(
            Parameters=x.K + numbers(x, S=3.0),
            Rules=x.rate_rule("S", "-k * S"),
            Events="".join(texts),
        )


def test_equality_counts_where_a_jump_sets_what_is_compared(x, load):
    """Every dose counts; at the second the trigger N >= 2 is true, though N is exactly 2."""
    model = load(
        Parameters=x.K + numbers(x, S=3.0, N=0.0, A=0.0),
        Rules=x.rate_rule("S", "-k * S"),
        Events=x.event("dose", "S < 1", S="3", N="N + 1") + x.event("enough", "N >= 2", A="1"),
    )
    names, p = list(model.states), jnp.asarray(model.nominal)
    y = jnp.asarray(model.declared_state)
    dose, condition = model.events["dose"].jump, names.index("enough.condition")
    first = dose(2.0, y, p)
    assert (first[condition], dose(4.0, first, p)[condition]) == (0.0, 1.0)


def test_a_new_value_that_rounding_decides_is_no_number(x, load):
    """At S = 1 itself, floor(S) is 1 or 0 by the rounding of S."""
    model = load(
        Parameters=x.K + numbers(x, S=3.0, A=0.0),
        Rules=x.rate_rule("S", "-k * S"),
        Events=x.event("e", "S < 1", A="floor(S)") + x.event("f", "time > 4", A="floor(S)"),
    )
    p, y = jnp.asarray(model.nominal), jnp.asarray([1.0, 0.0])
    assert np.isnan(model.events["e"].jump(2.0, y, p)[1])
    assert model.events["f"].jump(4.0, y.at[0].set(2.5), p)[1] == 2.0


def solved(model, time: float):
    """States by name and sensitivities by name and parameter, of the method "saltation"."""
    result = gradaudit.sensitivities(
        model, method="saltation", solver="dopri8", rtol=1e-10, times=[time]
    )
    assert result.status == "ok"
    names = list(model.states)
    return (
        dict(zip(names, result.states[0], strict=True)),
        dict(zip(names, result.sensitivities[0], strict=True)),
    )


@pytest.mark.slow
def test_sensitivities_go_through_a_delay(x, load):
    """S is 1 at T = log(3) / k; A becomes t + S of T + d."""
    model = load(
        Parameters=x.K + x.parameter("d", 1.5) + numbers(x, S=3.0, A=0.0),
        Rules=x.rate_rule("S", "-k * S"),
        Events=delayed(x, "time + S", early=False),
    )
    states, sensitivities = solved(model, 6.0)
    t, late = np.log(3.0) / 0.5, np.exp(-0.75)
    expected, by_k, by_d = t + 1.5 + late, -t / 0.5 - 1.5 * late, 1.0 - 0.5 * late
    # dopri8 at 1e-10, and the event found to its accuracy
    assert states["A"] == pytest.approx(expected, rel=1e-8)
    np.testing.assert_allclose(sensitivities["A"], [by_k, by_d], rtol=1e-7, atol=1e-12)
    _, exact = certified(model, [6.0])
    row = exact[0, list(model.states).index("A")]
    np.testing.assert_allclose(row, [by_k, by_d], rtol=1e-12)


@pytest.mark.slow
def test_sensitivities_go_through_a_condition_of_two_inequalities(x, load):
    """Both hold from T = log(3) / k on: A becomes T. The other event is false at its threshold."""
    model = load(
        Parameters=x.K + numbers(x, S=3.0, A=0.0, B=0.0),
        Rules=x.rate_rule("S", "-k * S"),
        Events=x.event("a", "time > 2 && S < 1", A="time")
        + x.event("b", "time < 2 && S < 1", B="time"),
    )
    states, sensitivities = solved(model, 6.0)
    t = np.log(3.0) / 0.5
    assert (states["A"], states["B"]) == (pytest.approx(t, rel=1e-8), 0.0)
    assert sensitivities["A"][0] == pytest.approx(-t / 0.5, rel=1e-7)
    _, exact = certified(model, [6.0])
    assert exact[0, list(model.states).index("A"), 0] == pytest.approx(-t / 0.5, rel=1e-12)


@pytest.mark.slow
def test_values_from_trigger_time_are_stored_where_others_count(x, load):
    """At t = 3 A and B swap, and the trigger C > 1, which both swap and A set, is true after it."""
    model = load(
        Parameters=x.K + numbers(x, A=1.0, B=2.0, D=0.0),
        Rules=x.rate_rule("A", "-k * A"),
        Events=x.event("a", "time >= 3", A="B")
        + x.event("b", "time >= 3", B="A")
        + x.event("d", "A >= 2", D="D + A"),
    )
    assert {"a.A", "a.pending", "d.condition"} <= set(model.states)
    states, _ = solved(model, 4.0)
    assert states["A"] == pytest.approx(2.0 * np.exp(-0.5), rel=1e-8)
    assert states["B"] == pytest.approx(np.exp(-1.5), rel=1e-8)
    assert states["D"] == pytest.approx(2.0, rel=1e-12)
