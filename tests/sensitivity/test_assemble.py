"""From raw solves to results: scales undone, columns in their places, failures NaN everywhere."""

import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit import Event, Model
from gradaudit.records.results import EventRecord
from gradaudit.sensitivity.assemble import assemble, failed, smooth, whole
from gradaudit.sensitivity.request import Request
from gradaudit.sensitivity.solve_status import Raw
from gradaudit.solvers.options import SolveOptions

TIMES = np.array([0.5, 1.0])
ALL = [np.arange(3)]


def model_of(**more) -> Model:
    """Two states, one integral, three parameters of scales 2, 4 and 10."""
    return Model(
        name="linear",
        vector_field=lambda t, y, p: jnp.stack([p[0] - y[0], p[1] * y[0] - p[2]]),
        states={"a": (1.0, "1"), "b": (0.0, "1")},
        parameters={"p": (2.0, "1"), "q": (-4.0, "1"), "r": (10.0, "1")},
        integrands={"area": lambda t, y, p: y[0]},
        t_end=2.0,
        **more,
    )


MODEL = model_of()


def raw_of(columns=3, **changes) -> Raw:
    """Three components at two times, counts 5, 4, 1; the result 0 is success."""
    states = np.arange(6.0).reshape(2, 3)
    tangents = np.arange(6.0 * columns).reshape(2, 3, columns)
    return Raw(states, tangents, 0.25, 5, 4, 1, 0)._replace(**changes)


def request_of(model=MODEL) -> Request:
    return Request(model=model, times=TIMES, options=SolveOptions(rtol=1e-6, atol=1e-9))


def test_derivatives_are_by_the_parameters_and_not_by_their_scales():
    found = assemble(MODEL, TIMES, [raw_of()], ALL, 0.5, 1.5)
    by_parameter = raw_of().tangents / [2.0, 4.0, 10.0]
    np.testing.assert_array_equal(found.sensitivities, by_parameter[:, :2])
    np.testing.assert_array_equal(found.integral_sensitivities, by_parameter[:, 2:])
    np.testing.assert_array_equal(found.states, raw_of().states[:, :2])
    np.testing.assert_array_equal(found.integrals, raw_of().states[:, 2:])
    assert found.status == "ok"
    assert found.stats == {
        "steps": 5.0,
        "accepted": 4.0,
        "rejected": 1.0,
        "seconds": 0.5,
        "compile_seconds": 1.5,
    }
    assert found.chunk_states is None
    assert found.chunk_of is None


def test_chunks_go_to_their_columns_with_states_of_their_own():
    raws = [raw_of(2, indicator=0.5), raw_of(1, states=raw_of().states + 1.0)]
    found = assemble(MODEL, TIMES, raws, [np.array([0, 2]), np.array([1])], 0.0, 0.0)
    np.testing.assert_array_equal(found.sensitivities[..., 1], raws[1].tangents[:, :2, 0] / 4.0)
    np.testing.assert_array_equal(
        found.sensitivities[..., [0, 2]], raws[0].tangents[:, :2] / [2.0, 10.0]
    )
    assert found.chunk_of.tolist() == [0, 1, 0]
    np.testing.assert_array_equal(found.chunk_states[1] - found.chunk_states[0], 1.0)
    assert found.chunk_integrals.shape == (2, 2, 1)
    assert (found.indicator, found.stats["steps"]) == (0.5, 10.0)


def test_one_failed_chunk_leaves_nothing():
    raws = [raw_of(2), raw_of(1, result=1)]  # of diffrax: the most steps were reached
    found = assemble(MODEL, TIMES, raws, [np.array([0, 2]), np.array([1])], 0.0, 0.0)
    assert found.status == "max_steps"
    for array in (found.states, found.sensitivities, found.integrals, found.chunk_states):
        assert np.isnan(array).all()
    assert found.stats["accepted"] == 8.0


def test_a_solve_that_went_well_and_is_not_finite_failed():
    tangents = raw_of().tangents
    tangents[1, 2, 0] = np.inf
    found = assemble(MODEL, TIMES, [raw_of(tangents=tangents)], ALL, 0.0, 0.0)
    assert found.status == "non_finite"
    assert np.isnan(found.sensitivities).all()


def test_events_have_derivatives_by_the_parameters():
    record = EventRecord(
        "hit", 0.7, np.array([2.0, 4.0, 10.0]), np.ones(3), np.ones((3, 3)), np.zeros(3)
    )
    found = assemble(MODEL, TIMES, [raw_of(event_records=(record,))], ALL, 0.0, 0.0)
    np.testing.assert_array_equal(found.events[0].slope, [1.0, 1.0, 1.0])
    np.testing.assert_array_equal(found.events[0].tangents, [[0.5, 0.25, 0.1]] * 3)
    assert found.events[0].time == 0.7


def test_an_estimate_that_was_lost_is_infinite():
    estimates = (np.array([[np.nan, 1.0, 2.0]] * 2), raw_of().tangents)
    found = assemble(MODEL, TIMES, [raw_of(estimates=estimates)], ALL, 0.0, 0.0)
    np.testing.assert_array_equal(found.estimates.states, [[np.inf, 1.0, 2.0]] * 2)
    np.testing.assert_array_equal(
        found.estimates.sensitivities, raw_of().tangents / [2.0, 4.0, 10.0]
    )


def test_an_estimate_along_one_direction_has_no_parameter_to_undo_a_scale_of():
    estimates = (np.zeros((2, 3)), np.full((2, 3, 1), 6.0))
    found = assemble(MODEL, TIMES, [raw_of(estimates=estimates)], ALL, 0.0, 0.0)
    np.testing.assert_array_equal(found.estimates.sensitivities, estimates[1])
    assert found.estimates.events == ()


def test_indicators_of_discontinuities_are_the_worst_of_all_chunks():
    class Crossed:
        def __init__(self, neglected, slope):
            self.neglected, self.slope = neglected, slope

    raws = [raw_of(2, crossed=Crossed(0.5, 6.0)), raw_of(1, crossed=Crossed(2.0, 1.0))]
    found = assemble(MODEL, TIMES, raws, [np.array([0, 2]), np.array([1])], 0.0, 0.0)
    # the slope is per window of 2
    assert found.indicators == {"faint": 0.0, "neglected": 2.0, "crossing_slope": 3.0}


def test_a_method_that_gives_nothing_has_arrays_of_the_right_shapes():
    found = failed(request_of(), "has_jumps")
    shapes = (found.states, found.sensitivities, found.integrals, found.integral_sensitivities)
    assert [array.shape for array in shapes] == [(2, 2), (2, 2, 3), (2, 1), (2, 1, 3)]
    assert all(np.isnan(array).all() for array in shapes)
    assert found.status == "has_jumps"
    assert found.stats["steps"] == 0.0


def test_a_model_that_jumps_is_not_handed_to_a_method_for_smooth_ones():
    jump = Event(when=lambda t, y, p: y[0] - 2.0, jump=lambda t, y, p: jnp.zeros(2))
    assert smooth(request_of(model_of(events={"kick": jump})), None).status == "has_jumps"
    found = smooth(request_of(), lambda request: (raw_of(), 0.1, 0.2))
    expected = whole(request_of(), raw_of(), 0.1, 0.2)
    np.testing.assert_array_equal(found.sensitivities, expected.sensitivities)
    assert found.stats == expected.stats
    assert found.stats["seconds"] == pytest.approx(0.1)
