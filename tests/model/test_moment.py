"""Orders of events at one moment, with states that are lists of what has happened."""

import pytest

from gradaudit.model.moment import UnsettledMomentError, alike, outcomes, same_entries


class Listing:
    """Events add their names; `triggers` says what each one triggers, `ranks` its priority."""

    def __init__(self, ranks=None, triggers=None):
        self.ranks, self.triggers = ranks or {}, triggers or {}

    def priority(self, name, state):
        return self.ranks.get(name)

    def happen(self, name, state):
        return (*state, name), self.triggers.get(name, ())


def run(moment, triggered, differs=lambda a, b: a != b, **options):
    return outcomes(moment, (), triggered, differs=differs, **options)


def test_the_highest_priority_is_first_and_none_is_last():
    state, settled = run(Listing({"b": 2.0, "c": 1.0}), ["a", "c", "b"])
    assert (state, settled) == (("b", "c", "a"), True)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_an_order_that_is_left_open_and_counts_is_unsettled(count):
    assert not run(Listing(), list("abcde")[:count])[1]


def test_an_order_that_does_not_count_is_settled():
    assert run(Listing(), list("abcd"), differs=lambda a, b: set(a) != set(b))[1]


def test_two_of_many_that_do_not_commute_are_noticed():
    def differs(one, other):
        return (one.index("b") < one.index("d")) != (other.index("b") < other.index("d"))

    assert not run(Listing(), list("abcdef"), differs=differs)[1]


def test_what_an_event_triggers_waits_for_its_priority():
    moment = Listing({"a": 3.0, "b": 1.0, "c": 2.0}, {"a": ["c"]})
    assert run(moment, ["a", "b"])[0] == ("a", "c", "b")


def test_priorities_do_not_count_where_events_have_times_of_their_own():
    assert not run(Listing({"a": 1.0}), ["a", "b"], ranked=False)[1]


def test_endless_and_repeated_triggering_have_no_outcome():
    with pytest.raises(UnsettledMomentError, match="without end"):
        run(Listing(triggers={"a": ["b"], "b": ["a"]}), ["a"])
    with pytest.raises(UnsettledMomentError, match="'b' is triggered a second time"):
        run(Listing({"a": 1.0}, {"a": ["b"]}), ["a", "b"])


def test_entries_are_compared_with_the_largest_of_their_row():
    assert alike([1.0, 2.0], [1.0, 2.0 + 1e-10])
    assert not alike([1.0, 0.0], [1.0, 1e-12])
    assert same_entries([[1.0, 0.0]], [[1.0, 1e-12]]).all()
