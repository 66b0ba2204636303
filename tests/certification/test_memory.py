"""A reference goes on from what an earlier one has solved, and says what one from scratch says."""

import jax.numpy as jnp
import numpy as np

import gradaudit
from gradaudit import Model
from gradaudit.certification import reference
from gradaudit.certification.memory import Memory

STIFF = Model(
    name="fast_and_slow",
    vector_field=lambda t, y, p: jnp.stack(
        [p[0] * (y[1] - y[0]), p[0] * (y[0] - y[1]) - p[1] * y[1]]
    ),
    states={"a": (1.0, ""), "b": (0.0, "")},
    parameters={"fast": (1e4, ""), "slow": (0.1, "")},
    t_end=10.0,
)


def every(found):
    return np.ones(2, dtype=bool)


def test_a_second_call_solves_only_what_is_missing():
    memory, times = Memory(), [1.0, 10.0]
    first = reference(STIFF, times, digits=8.0, lacking=every, memory=memory)
    assert first.status == "ok"
    assert memory.collocation is not None
    assert memory.size > 0
    solved = len(first.rungs)
    again = reference(STIFF, times, digits=15.0, lacking=every, memory=memory)
    alone = reference(STIFF, times, digits=15.0, lacking=every)
    assert len(again.rungs) == len(alone.rungs)
    for one, other in zip(again.rungs[:solved], first.rungs, strict=True):
        assert one["run_seconds"] == other["run_seconds"]
    np.testing.assert_array_equal(again.sensitivities, alone.sensitivities)
    np.testing.assert_array_equal(again.digits.per_entry, alone.digits.per_entry)
    assert again.status == alone.status


def test_what_the_taylor_method_solved_is_not_remembered():
    memory = Memory()
    assert gradaudit.reference("logistic", lacking=every, memory=memory).status == "ok"
    assert memory.collocation is None
    assert memory.size == 0


def test_a_demand_that_is_met_ends_the_second_call():
    memory = Memory()
    reference(STIFF, [10.0], digits=8.0, lacking=every, memory=memory)
    met = reference(STIFF, [10.0], digits=15.4, lacking=lambda found: None, memory=memory)
    assert met.status == "ok"
    assert float(met.digits) >= 8.0
