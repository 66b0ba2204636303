"""Zeros and extrema of functions that are known by samples along an element."""

import numpy as np
import pytest

from gradaudit.certification.collocation import crossings


def expanded(*functions, degree=32):
    x = crossings.nodes(degree)
    return crossings.expansion(np.stack([function(x) for function in functions]))


@pytest.mark.parametrize("root", [0.0, 0.1, 0.5, 0.999, 1.0])
def test_a_zero_is_found_to_rounding(root):
    (found,) = crossings.zeros(expanded(lambda x: np.exp(x) - np.exp(root))[:, 0])
    assert found == pytest.approx(root, abs=1e-14)


def test_all_zeros_and_extrema_are_found():
    own = expanded(lambda x: np.sin(20.0 * x + 0.1))[:, 0]
    np.testing.assert_allclose(
        crossings.zeros(own), (np.pi * np.arange(1, 7) - 0.1) / 20.0, atol=1e-12
    )
    np.testing.assert_allclose(
        crossings.extrema(own), (np.pi * (np.arange(6) + 0.5) - 0.1) / 20.0, atol=1e-9
    )


def test_what_is_far_from_zero_is_seen_at_a_glance():
    both = expanded(lambda x: 3.0 + np.sin(x), lambda x: x - 0.5)
    assert crossings.away(both).tolist() == [True, False]


def test_a_double_zero_is_no_change_of_sign():
    own = expanded(lambda x: (x - 0.3) ** 2)[:, 0]
    assert not crossings.turns(own, 0.3)
    assert crossings.curvature(own, 0.3) == pytest.approx(2.0)
    assert crossings.turns(expanded(lambda x: x - 0.3)[:, 0], 0.3)


def test_a_narrow_dip_between_the_nodes_is_seen():
    at = crossings.between(4096)

    def dip(x):
        return 1.0 - 2.0 * np.exp(-(((x - 0.5003) / 1e-3) ** 2))

    smooth = expanded(np.cos, dip)
    values = np.stack([np.cos(at), dip(at)])
    assert crossings.misses(smooth, values, at, np.zeros(2)).tolist() == [False, True]


def test_what_is_rounding_is_not_missed():
    at = crossings.between(64)
    noise = 1e-15 * np.random.default_rng(1).standard_normal(64)[None]
    flat = np.zeros((33, 1))
    assert crossings.misses(flat, noise, at, np.zeros(1)).all()
    assert not crossings.misses(flat, noise, at, np.array([1e-14])).any()
