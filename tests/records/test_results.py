"""Digits: of every entry, the least of all, of each state and of each parameter."""

import pickle

import numpy as np
import pytest

from gradaudit.records.results import Digits

NAN = np.nan
ENTRIES = np.array([[[12.0, 3.0, NAN], [14.0, NAN, NAN]], [[11.0, 9.0, NAN], [13.0, 8.0, NAN]]])


def test_one_hopeless_entry_hides_no_other():
    digits = Digits(ENTRIES)
    assert digits == 3.0
    assert digits.by_state.tolist() == [3.0, 8.0]
    assert np.array_equal(digits.by_parameter, [11.0, 3.0, NAN], equal_nan=True)


def test_digits_of_states_have_no_parameters():
    digits = Digits(np.array([[12.0, NAN], [11.0, 15.0]]))
    assert digits.by_state.tolist() == [11.0, 15.0]


def test_where_all_is_negligible_the_number_is_given():
    digits = Digits(np.full((1, 1, 2), NAN), of_none=15.6)
    assert digits == 15.6
    assert np.isnan(digits.by_state).all()


@pytest.mark.parametrize("entries", [ENTRIES, np.full((1, 1, 2), NAN)])
def test_a_copy_in_another_process_has_the_digits_of_the_entries(entries):
    digits = Digits(entries, of_none=15.6)
    copied = pickle.loads(pickle.dumps(digits))
    assert type(copied) is Digits
    assert float(copied) == float(digits)
    np.testing.assert_array_equal(copied.per_entry, digits.per_entry)
