"""Forward methods differ in what the error norm sees; the solver is replaced by a recorder."""

import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit import Model
from gradaudit.sensitivity import lifted as module
from gradaudit.sensitivity.lifted import chunked, lifted
from gradaudit.sensitivity.request import Request
from gradaudit.sensitivity.solve_status import Raw
from gradaudit.solvers.options import SolveOptions

MODEL = Model(
    name="sum",
    vector_field=lambda t, y, p: jnp.sum(p) - y,
    states={"y": (1.0, "1")},
    parameters={"a": (2.0, "1"), "b": (-4.0, "1"), "c": (0.0, "1")},
    t_end=1.0,
)
REQUEST = Request(
    model=MODEL, times=np.array([0.5, 1.0]), options=SolveOptions(rtol=1e-6, atol=1e-9)
)


@pytest.fixture
def calls(monkeypatch):
    """Options, norm and columns of every solve; a tangent is the number of its column."""
    made = []

    def program(model, options):
        def solve(times, traced, *, control, columns):
            made.append((options, control, columns.tolist()))
            tangents = np.broadcast_to(columns.astype(float), (2, 2, len(columns)))
            return Raw(np.ones((2, 2)), tangents, 0.5, 3, 3, 0, 0), 0.25, 1.0

        return solve

    monkeypatch.setattr(module, "program", program)
    return made


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_all_tangents_are_in_one_solve_with_the_weight_that_is_asked_for(calls, weight):
    found = lifted(REQUEST, tangent_weight=weight)
    ((options, control, columns),) = calls
    assert columns == [0, 1, 2]
    assert (control.tangent_weight, control.dual) == (weight, 0.0)
    np.testing.assert_array_equal(control.scale, [2.0, 4.0, 1.0])
    assert not options.augmented
    assert not options.saltation
    np.testing.assert_array_equal(found.sensitivities, [[[0.0, 0.25, 2.0]]] * 2)


def test_what_is_compiled_in_is_handed_to_the_program(calls):
    lifted(REQUEST, tangent_weight=1.0, augmented=True)
    lifted(REQUEST, tangent_weight=1.0, saltation=True)
    assert [(o.augmented, o.saltation) for o, *_ in calls] == [(True, False), (False, True)]


def test_chunks_are_solved_one_by_one_in_the_norm_of_dual_numbers(calls):
    found = chunked(REQUEST, (2, [range(2), range(2, 3)]))
    assert [columns for *_, columns in calls] == [[0, 1], [2]]
    assert [(c.tangent_weight, c.dual, c.width) for _, c, _ in calls] == [(0.0, 1.0, 2.0)] * 2
    np.testing.assert_array_equal(calls[1][1].scale, [1.0])
    assert found.chunk_of.tolist() == [0, 0, 1]
    np.testing.assert_array_equal(found.sensitivities, [[[0.0, 0.25, 2.0]]] * 2)


def test_the_time_is_that_of_all_chunks(calls):
    found = chunked(REQUEST, (1, [range(1), range(1, 2), range(2, 3)]))
    assert (found.stats["seconds"], found.stats["compile_seconds"]) == (0.75, 3.0)
    assert found.stats["steps"] == 9.0
