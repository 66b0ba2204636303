"""The time limit holds, and what ran out of time says what it would need."""

import time
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Model
from gradaudit.certification.climb import Climb, TimeIsOverError
from gradaudit.certification.heyoka.precision import DOUBLE, LONG_DOUBLE
from gradaudit.certification.time_needed import needed, rounded

SIZE, FOREVER = 12, 1e7


@pytest.fixture(scope="module")
def endless():
    """Oscillators for a million periods, after a reference that has loaded and compiled."""

    def field(t, y, p):
        x, v = y[:SIZE], y[SIZE:]
        return jnp.concatenate([v, -p * x * (1.0 + x**2)])

    model = Model(
        name="endless",
        vector_field=field,
        states={f"{kind}{i}": (1.0, "") for kind in "xv" for i in range(SIZE)},
        parameters={f"k{i}": (1.0 + 0.1 * i, "") for i in range(SIZE)},
        t_end=FOREVER,
    )
    gradaudit.reference(model, time_limit=0.1)
    return model


@pytest.mark.sampled(2)
@pytest.mark.parametrize("method", ["taylor", "collocation"])
def test_the_limit_holds_to_within_a_fifth(endless, method):
    limit, began = 4.0, time.perf_counter()
    found = gradaudit.reference(endless, np.array([0.0, FOREVER]), time_limit=limit, method=method)
    assert time.perf_counter() - began < 1.2 * limit
    assert found.status.startswith("uncertified: ")
    assert " s and would need about " in found.status


def test_a_compilation_that_takes_too_long_is_not_begun():
    model = gradaudit.load_model("lorenz")
    climb = Climb(model, np.array([1.0]), negligible=1e-3, time_limit=5.0, progress=None)
    first = climb.run(climb.build(DOUBLE, 1e-10))
    climb.accept(first, None)
    climb.build_seconds = 10.0
    with pytest.raises(TimeIsOverError, match="compiling in long double precision would take"):
        climb.build(LONG_DOUBLE, 1e-20)


def test_the_time_needed_is_told_by_steps_where_those_at_first_are_short():
    """Of a window of 1 the first of 200 steps have come to 1e-6: 20 of them in 4 s, so 40 s."""
    starts = np.geomspace(1e-7, 1.0, 200)
    whole = SimpleNamespace(status="ok", step_starts=starts)
    late = SimpleNamespace(status="time_limit", last=(1.2e-7, None), steps=3, run_seconds=4.0)
    assert needed(late, 1.0).startswith("it had 4 s and would need about 3e7 s")
    late.last = (float(starts[20]), None)
    assert needed(late, 1.0, whole) == "it had 4 s and would need about 40 s (30 steps)"


@pytest.mark.parametrize(
    ("number", "text"), [(2.6, "3"), (314.0, "300"), (94_999.0, "90000"), (3.1e8, "3e8")]
)
def test_numbers_of_a_status_have_one_digit(number, text):
    assert rounded(number) == text
