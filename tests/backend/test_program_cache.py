"""A cache by identity keeps one entry per object and options, however the options are given."""

import pytest

from gradaudit.backend.program_cache import identity_cache


class Unhashable:
    """Equal to every other one, so that equality would mix them up."""

    __hash__ = None

    def __eq__(self, other):
        return True


def counted():
    calls = []

    @identity_cache
    def build(key, solver, saltation=False):
        calls.append((key, solver, saltation))
        return len(calls)

    return build, calls


def test_options_by_position_by_keyword_and_by_default_are_one_entry():
    build, calls = counted()
    key = Unhashable()
    assert build(key, "tsit5") == build(key, solver="tsit5") == build(key, "tsit5", False) == 1
    assert build(key, "tsit5", saltation=True) == 2
    assert [options for _, *options in calls] == [["tsit5", False], ["tsit5", True]]


def test_objects_are_distinguished_by_identity():
    build, calls = counted()
    one, other = Unhashable(), Unhashable()
    assert build(one, "tsit5") != build(other, "tsit5")
    assert calls[0][0] is one
    assert calls[1][0] is other


def test_a_wrong_option_is_refused_as_by_the_function_itself():
    build, _ = counted()
    with pytest.raises(TypeError, match="unknown"):
        build(Unhashable(), "tsit5", unknown=1)
