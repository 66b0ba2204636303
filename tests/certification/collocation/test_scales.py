"""Natural sizes, by which elements are judged."""

import numpy as np

from gradaudit.certification.collocation.scales import BEGINNING, FLOOR, UNITS, Expected, Scales


def scales(expected=None):
    return Scales(
        largest=np.array([2.0, 0.0]),
        entries=np.array([[4.0, 1e-20], [0.0, 0.0]]),
        parameter_scale=np.array([0.5, 1.0]),
        expected=expected,
    )


def test_states_are_measured_by_the_largest_so_far_and_what_is_expected():
    np.testing.assert_allclose(scales().states, [2.0, 2.0 * UNITS])
    expected = Expected(np.array([1.0, 3.0]))
    np.testing.assert_allclose(scales(expected).states, [2.0, 3.0 * BEGINNING])
    np.testing.assert_allclose(scales().with_states(np.array([1.0, 5.0])).states, [2.0, 5.0])


def test_nothing_at_all_is_measured_by_one():
    nothing = Scales(np.zeros(2), np.zeros((2, 1)), np.ones(1))
    np.testing.assert_array_equal(nothing.states, 1.0)
    np.testing.assert_allclose(nothing.natural, FLOOR**2)


def test_a_column_that_is_nearly_zero_has_a_floor():
    """The first column has the share 2 and p S of 1; the second is judged by a part of that."""
    natural = scales().natural
    np.testing.assert_allclose(natural[0], [4.0, 2.0 * FLOOR])
    known = Expected(np.array([2.0, 1.0]), np.array([2.0, 1e-6]))
    np.testing.assert_allclose(scales(known).natural[0], [4.0, 2.0 * BEGINNING * 1e-6])
    some = known.only(np.array([1]))
    np.testing.assert_array_equal(some.columns, [1e-6])
    assert Expected(np.ones(2)).only(np.array([0])).columns is None


def test_what_is_noise_is_no_error():
    here = scales()
    assert here.share_of_states(np.array([1e-3, 0.0]), np.zeros(2)) == 5e-4
    assert here.share_of_states(np.array([1e-3, 0.0]), np.full(2, 2e-3)) == 0.0
    tail = np.array([[0.4, 0.0], [0.0, 0.0]])
    assert here.share_of_sensitivities(tail, np.zeros((2, 2))) == 0.1
