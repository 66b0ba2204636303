"""A jump that is declared and never happens is told."""

import warnings

import pytest

from gradaudit import Event, Model
from gradaudit.certification import reference


@pytest.mark.parametrize(("direction", "happens"), [(1, True), (-1, False)])
def test_a_jump_that_never_happens_is_told(direction, happens):
    """A dose at t = 0.5, and one whose function never falls through zero."""
    model = Model(
        name="dose",
        vector_field=lambda t, y, p: -p[0] * y,
        states={"y": (1.0, "")},
        parameters={"k": (1.0, ""), "dose": (2.0, "")},
        t_end=1.0,
        events={
            "dosing": Event(
                when=lambda t, y, p: t - 0.5, direction=direction, jump=lambda t, y, p: y + p[1]
            )
        },
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert reference(model).status == "ok"
    told = [str(one.message) for one in caught if "'dosing' does not happen" in str(one.message)]
    assert bool(told) != happens
