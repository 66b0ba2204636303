"""From event to event, with segments in closed form: which row is filled by what, and when it ends.

A ball falls at rate -1 from height 1 and is thrown back to its height at every bounce, so that
events happen at t = 1, 2, ... No solver takes part: only the way from event to event is tested.
"""

from types import SimpleNamespace

import diffrax
import numpy as np
import pytest

from gradaudit.errors import SettingError
from gradaudit.sensitivity import hybrid_run
from gradaudit.sensitivity.hybrid_run import HybridRun
from gradaudit.sensitivity.hybrid_types import EventTransition, Segment
from gradaudit.sensitivity.solve_status import (
    GRAZING,
    LOST_EVENT,
    TOO_MANY_EVENTS,
    UNDECLARED_SWITCH,
)
from gradaudit.solvers.missed_saltation import Crossed
from gradaudit.solvers.options import TracedOptions

OK = int(diffrax.RESULTS.successful._value)
OPTIONS = TracedOptions(rtol=1e-6, atol=1e-9)
CONTROL = SimpleNamespace()


class Falling:
    """The program of the module's docstring; `heights` are those after each bounce."""

    def __init__(self, heights=(), max_steps=10_000, **of_segment):
        self.heights, self.bounces, self.of_segment = heights, 0, of_segment
        self.options = SimpleNamespace(max_steps=max_steps, saltation=True, dtype="float64")
        jump = lambda *_: None  # noqa: E731 - that there is one is all that counts
        self.events = {"bounce": SimpleNamespace(direction=-1, jump=jump, priority=None)}
        self.model = SimpleNamespace(
            m=2, nominal=np.array([1.0, 1.0]), parameter_scale=np.array([1.0, 3.0]), t_end=10.0
        )

    def run(self, key, function, inputs):
        return function(*inputs), 0.25, 0.5

    def start(self, p, seeds):
        return self._behind(1.0)

    def passed_at_start(self, p, begin):
        return False

    def _behind(self, height):
        return EventTransition(
            state=np.array([height]), tangents=np.full((1, 2), height), slope=np.array([0.5, 0.0]),
            rate=np.array([-1.0]), signs=np.array([1.0]), decisions=[], neglected=np.zeros((1, 2)),
        )  # fmt: skip

    def values(self, t, z, p):
        return z

    def segment(self, now, state, tangents, error, signs, decisions, times, p, seeds, *settings):
        hit = now + state[0]
        ended = hit > self.model.t_end
        stop = self.model.t_end if ended else hit
        heights = (now + state[0] - times)[:, None]
        segment = Segment(
            states=heights, tangents=np.repeat(heights[..., None], 2, -1), errors=(), stop=stop,
            state=np.array([hit - stop]), tangent=np.zeros((1, 2)), error=(),
            event_index=-1 if ended else 0, signs_ahead=np.ones(1) if ended else -np.ones(1),
            changed_branch=False,
            missed_event=False,
            touched=False,
            indicator=1.0 + self.bounces, crossed=Crossed(0.1, 0.2), counts=np.array([5, 4, 1]),
            result=OK,
        )  # fmt: skip
        return segment._replace(**self.of_segment)

    def transition(self, event, now, state, tangents, error, decisions, p, seeds):
        height = self.heights[self.bounces] if self.bounces < len(self.heights) else 1.0
        self.bounces += 1
        return self._behind(height)


def solve(program, times, columns=(0, 1), options=OPTIONS):
    run = HybridRun(program, np.asarray(times, float), options, CONTROL, columns, None)
    return run.run()


def test_every_observation_is_filled_by_the_segment_that_it_lies_in():
    times = np.linspace(0.0, 10.0, 33)
    raw, *_ = solve(Falling(), times)
    expected = 1.0 - np.mod(times, 1.0)
    np.testing.assert_allclose(raw.states[:-1, 0], expected[:-1], atol=1e-12)
    np.testing.assert_allclose(raw.tangents[:-1, 0, 1], expected[:-1], atol=1e-12)
    assert np.all(np.isfinite(raw.states))
    assert raw.result == OK


@pytest.mark.parametrize(
    ("offset", "height"), [(0.0, 1.0), (1e-12, 1.0), (-1e-12, 0.0), (-1e-15, 1.0)]
)
def test_an_observation_at_an_event_is_made_behind_it(offset, height):
    """Unless it is before the event by more than rounding."""
    raw, *_ = solve(Falling(), [0.5, 1.0 + offset, 1.5])
    np.testing.assert_allclose(raw.states[:, 0], [0.5, height, 0.5], atol=1e-11)


def test_all_events_are_recorded_in_the_order_of_time():
    raw, *_ = solve(Falling(), [0.0, 4.5])
    assert [record.name for record in raw.event_records[:4]] == ["bounce"] * 4
    np.testing.assert_allclose([record.time for record in raw.event_records[:4]], [1, 2, 3, 4])


def test_counts_and_seconds_add_up_over_segments_and_events():
    raw, seconds, compile_seconds = solve(Falling(), [0.0, 3.5, 10.0])
    segments = len(raw.event_records) + 1 if raw.event_records[-1].time < 10 else 10
    assert (raw.steps, raw.accepted, raw.rejected) == (5 * segments, 4 * segments, segments)
    calls = 2 + segments + len(raw.event_records)  # the start, and a look at what lies just behind
    assert seconds == pytest.approx(0.25 * calls)
    assert compile_seconds == pytest.approx(0.5 * calls)


def test_the_largest_indicator_counts_and_one_that_is_no_number_stays():
    raw, *_ = solve(Falling(), [0.0, 10.0])
    assert raw.indicator == pytest.approx(1.0 + 9)
    assert np.isnan(solve(Falling(indicator=np.nan), [0.0, 10.0])[0].indicator)


def test_events_that_accumulate_end_the_solve():
    """Heights of a millionth of the cooldown: three events as good as at one time."""
    raw, *_ = solve(Falling(heights=(1e-15,) * 10), [0.0, 10.0])
    assert raw.result == LOST_EVENT
    assert len(raw.event_records) < 10


def test_two_events_at_one_time_do_not_accumulate():
    assert solve(Falling(heights=(1e-15, 1e-15)), [0.0, 10.0])[0].result == OK


@pytest.mark.parametrize(
    ("of_segment", "result"),
    [
        ({"changed_branch": True}, UNDECLARED_SWITCH),
        ({"missed_event": True}, LOST_EVENT),
        ({"touched": True}, GRAZING),
        ({"result": 3, "event_index": -1}, 3),
        ({"counts": np.array([10_001, 0, 0])}, int(diffrax.RESULTS.max_steps_reached._value)),
    ],
    ids=["undeclared switch", "missed event", "touched threshold", "failed", "too many steps"],
)
def test_what_ends_the_first_segment_is_the_result(of_segment, result):
    raw, *_ = solve(Falling(**of_segment), [0.0, 10.0])
    assert raw.result == result
    assert raw.event_records == ()


def test_too_many_events_end_the_solve(monkeypatch):
    monkeypatch.setattr(hybrid_run, "MAX_EVENTS", 3)
    raw, *_ = solve(Falling(), [0.0, 10.0])
    assert raw.result == TOO_MANY_EVENTS
    assert len(raw.event_records) == 3


def test_seeds_are_the_scales_of_the_propagated_parameters():
    run = HybridRun(Falling(), np.array([0.0, 1.0]), OPTIONS, CONTROL, [1], None)
    np.testing.assert_array_equal(run.seeds, [[0.0], [3.0]])


def test_one_observation_is_one_row():
    raw, *_ = solve(Falling(), [0.5])
    np.testing.assert_allclose(raw.states, [[0.5]])


def test_equal_steps_are_refused():
    with pytest.raises(SettingError, match="steps"):
        solve(Falling(), [0.0, 1.0], [0], OPTIONS._replace(steps=5.0))
