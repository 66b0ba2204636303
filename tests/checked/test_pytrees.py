"""Numbers of numpy of any type are the numbers that they are, or are refused by name."""

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit.errors import SettingError

P = np.array([0.5, 1.0])


def decay(t, y, p):
    return -p[0] * y + p[1]


def checked(y0):
    return gradaudit.checked_jacfwd(
        lambda ys: ys[-1], decay, y0=y0, ts=[1.0], propagate=False, rtol=1e-4
    )


@pytest.mark.slow
def test_numbers_in_another_order_of_bytes_are_the_same_numbers():
    """Also at a second call, where JAX takes their bytes for those of other numbers."""
    own = checked(np.array([1.0], ">f8"))
    right = own(P).jacobian
    for kind in (">f8", "<f8", np.longdouble):
        assert np.array_equal(own(P.astype(kind)).jacobian, right)
    assert np.array_equal(own(p=P.astype(">f8")).jacobian, right)


@pytest.mark.parametrize("p", ["ab", np.array([0.5, None]), np.array(["a", "b"])])
def test_what_is_no_number_is_refused_by_name(p):
    with pytest.raises(SettingError, match="p has to be made of real floating-point numbers"):
        checked(jnp.array([1.0]))(p)
