"""Events of extended precision, rounded to float64."""

import numpy as np

from gradaudit.certification.heyoka.rounding import in_float64
from gradaudit.records.results import EventRecord


def test_every_number_of_an_event_is_the_nearest_float64():
    third = np.longdouble(1.0) / 3.0
    column, table = np.full(2, third), np.full((2, 3), third)
    found = in_float64(EventRecord("hit", third, table[0], column, table, column))
    assert found.name == "hit"
    assert found.time == 1.0 / 3.0
    assert type(found.time) is float
    for array, shape in zip(found[2:], [(3,), (2,), (2, 3), (2,)], strict=True):
        assert array.dtype == np.float64
        assert array.shape == shape
        np.testing.assert_array_equal(array, 1.0 / 3.0)


def test_empty_arrays_stay_empty():
    none = np.empty((0,), dtype=np.longdouble)
    found = in_float64(EventRecord("hit", 1.0, none, none, none.reshape(0, 0), none))
    assert [array.size for array in found[2:]] == [0, 0, 0, 0]
