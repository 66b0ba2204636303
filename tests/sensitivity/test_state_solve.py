"""The parts of the solve that is differentiated in reverse mode or by a complex step."""

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit.sensitivity.state_solve import StateSolve, counts_of
from gradaudit.solvers import unrolled_erk
from gradaudit.solvers.options import StaticOptions, TracedOptions

LOGISTIC = gradaudit.load_model("logistic")
TIMES = jnp.array([1.0, 2.0])
TRACED = TracedOptions(1e-3, 1e-6)


def pieces(p=None, scan_kind="lax", **options):
    solve = StateSolve(LOGISTIC, StaticOptions(**options))
    p = jnp.asarray(LOGISTIC.nominal if p is None else p)
    return solve.pieces(TIMES, p, TRACED, scan_kind=scan_kind)


def test_states_and_integrals_begin_at_their_values_in_the_type_of_the_parameters():
    solve = StateSolve(LOGISTIC, StaticOptions())
    assert solve.size == LOGISTIC.n + 1
    np.testing.assert_array_equal(pieces().y0, [*LOGISTIC.declared_state, 0.0])
    assert pieces(LOGISTIC.nominal + 0j).y0.dtype == jnp.complex128


def test_the_field_has_the_integrand_last():
    found = pieces().term.vf(0.0, jnp.array([2.0, 7.0]), jnp.asarray(LOGISTIC.nominal))
    rate = LOGISTIC.vector_field(0.0, jnp.array([2.0]), jnp.asarray(LOGISTIC.nominal))
    np.testing.assert_array_equal(found, [rate[0], 2.0])


def test_stages_are_written_out_in_forward_mode_alone():
    assert type(pieces().solver) is unrolled_erk.Tsit5
    backward = pieces(scan_kind="checkpointed")
    assert type(backward.solver) is diffrax.Tsit5
    assert backward.solver.scan_kind == "checkpointed"


def test_the_error_norm_sees_real_parts_of_states_and_no_integral():
    """The scale of a state of 2 is 1e-6 + 2e-3."""
    scaled = pieces().controller.scaled
    error, state = jnp.array([2.001e-3 + 5j, 100.0]), jnp.array([2.0, 1.0])
    assert float(scaled(error, state, state)) == pytest.approx(1.0, rel=1e-12)


def test_clipped_steps_end_at_observations():
    controller = pieces(observe="clip").controller
    assert isinstance(controller, diffrax.ClipStepSizeController)
    assert not isinstance(pieces().controller, diffrax.ClipStepSizeController)


def test_the_first_step_is_diffraxs_unless_the_stepping_has_one():
    assert pieces().dt0 is None
    assert float(pieces(stepping="sciml").dt0) > 0.0


def test_counts_are_read_from_a_solution():
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, p: -y), diffrax.Euler(), 0.0, 1.0, 0.25, jnp.ones(1),
        max_steps=8,
    )  # fmt: skip
    assert [int(count) for count in counts_of(solution)] == [4, 4, 0, 0]
