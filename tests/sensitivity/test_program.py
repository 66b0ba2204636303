"""The lifted solver against theory: equalities to rounding, and failures that must be seen.

Tolerances: "to rounding" is 1e-9 relative to a parameter's largest sensitivity. Two programs of the
same arithmetic differ by 1e-16 a step, and by what that does to the next step size.
"""

from dataclasses import replace

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

import gradaudit
from gradaudit import Event, Model, SettingError
from gradaudit.sensitivity.methods.dual_norm import dual_chunks
from gradaudit.sensitivity.program import Program
from gradaudit.solvers.event_recorder import RecordedEvents
from gradaudit.solvers.options import StaticOptions


def _oscillator(**changes):
    def field(t, y, p):
        return jnp.stack([y[1], -p[0] * y[0] - p[1] * y[1] + jnp.sin(t)])

    settings = {
        "name": "driven_oscillator",
        "vector_field": field,
        "states": {"x": (1.0, "m"), "v": (0.0, "m/s")},
        "parameters": {"k": (4.0, "1/s2"), "c": (0.3, "1/s")},
        "t_end": 8.0,
    }
    return Model(**{**settings, **changes})


def _relative(computed, certified):
    """Error over each parameter's largest sensitivity, the worst of all."""
    return np.max(np.abs(computed - certified) / np.max(np.abs(certified), axis=(0, 1)))


OSCILLATOR = _oscillator()


@pytest.fixture(scope="module")
def oscillator_reference():
    return gradaudit.reference(OSCILLATOR)


@pytest.mark.slow
def test_forward_ad_is_what_jacfwd_gives():
    def terminal(p):
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(OSCILLATOR.vector_field),
            diffrax.Tsit5(),
            0.0,
            OSCILLATOR.t_end,
            None,
            jnp.asarray(OSCILLATOR.declared_state),
            args=p,
            stepsize_controller=diffrax.PIDController(rtol=1e-5, atol=1e-8),
            adjoint=diffrax.ForwardMode(),
        )
        return solution.ys[-1], solution.stats["num_steps"]

    jacobian, steps = jax.jacfwd(terminal, has_aux=True)(jnp.asarray(OSCILLATOR.nominal))
    ours = gradaudit.sensitivities(OSCILLATOR, rtol=1e-5, atol=1e-8)
    assert ours.stats["steps"] == steps
    np.testing.assert_allclose(ours.sensitivities[-1], jacobian, rtol=1e-9)


@pytest.mark.slow
def test_partial_control_is_forward_ad_for_an_explicit_method():
    ad = gradaudit.sensitivities(OSCILLATOR, rtol=1e-6, method="forward_ad")
    partial = gradaudit.sensitivities(OSCILLATOR, rtol=1e-6, method="forward_sensitivity_partial")
    assert partial.stats["steps"] == ad.stats["steps"]
    assert _relative(partial.sensitivities, ad.sensitivities) < 1e-9


@pytest.mark.sampled(9)
@pytest.mark.parametrize("solver", ["tsit5", "dopri8", "kvaerno5"])
@pytest.mark.parametrize("method", ["forward_ad", "forward_sensitivity", "dual_norm"])
def test_sensitivities_converge_to_the_reference(solver, method, oscillator_reference):
    errors = [
        _relative(
            gradaudit.sensitivities(
                OSCILLATOR, solver=solver, method=method, rtol=rtol
            ).sensitivities,
            oscillator_reference.sensitivities,
        )
        for rtol in (1e-4, 1e-7, 1e-10)
    ]
    # The order in the tolerance is about 1; a smooth problem must gain well over a digit in three.
    assert errors[1] < errors[0] / 30
    assert errors[2] < errors[1] / 30
    assert errors[2] < 1e-7


@pytest.mark.slow
def test_linear_problem_has_the_derivative_of_the_matrix_exponential():
    a = np.array([[-1.0, 2.0], [-3.0, -0.5]])

    def field(t, y, p):
        return (jnp.asarray(a) + p[0] * jnp.eye(2)[::-1]) @ y

    model = Model(
        name="linear",
        vector_field=field,
        states={"u": (1.0, ""), "v": (2.0, "")},
        parameters={"p": (0.7, "")},
        t_end=2.0,
    )
    swap = np.eye(2)[::-1]
    matrix = 2.0 * (a + 0.7 * swap)
    exact = scipy.linalg.expm_frechet(matrix, 2.0 * swap, compute_expm=False) @ [1.0, 2.0]
    computed = gradaudit.sensitivities(model, method="forward_sensitivity", rtol=1e-11)
    np.testing.assert_allclose(computed.sensitivities[-1, :, 0], exact, rtol=1e-8)
    certified = gradaudit.reference(model).sensitivities[-1, :, 0]
    np.testing.assert_allclose(certified, exact, rtol=1e-12)  # SciPy's own error


@pytest.mark.slow
def test_full_control_does_not_depend_on_units_of_parameters():
    def in_other_units(t, y, p):
        return OSCILLATOR.vector_field(t, y, p * jnp.array([1e12, 1.0]))

    other = _oscillator(
        vector_field=in_other_units, parameters={"k": (4e-12, "1/ps2"), "c": (0.3, "1/s")}
    )
    run = {"method": "forward_sensitivity", "rtol": 1e-6}
    a, b = gradaudit.sensitivities(OSCILLATOR, **run), gradaudit.sensitivities(other, **run)
    assert a.stats["steps"] == b.stats["steps"]
    np.testing.assert_allclose(
        b.sensitivities * [1e-12, 1.0], a.sensitivities, rtol=1e-7, atol=1e-10
    )


@pytest.mark.slow
def test_grid_does_not_depend_on_observation_times():
    few = gradaudit.sensitivities(OSCILLATOR, rtol=1e-6, times=[8.0])
    many = gradaudit.sensitivities(OSCILLATOR, rtol=1e-6, times=np.linspace(0.0, 8.0, 333))
    assert few.stats["steps"] == many.stats["steps"]
    np.testing.assert_allclose(many.sensitivities[-1], few.sensitivities[-1], rtol=1e-10)


@pytest.mark.slow
def test_observation_by_step_keeps_the_order_that_dense_output_loses(oscillator_reference):
    def error(observe):
        computed = gradaudit.sensitivities(OSCILLATOR, solver="dopri8", rtol=1e-10, observe=observe)
        return _relative(computed.sensitivities, oscillator_reference.sensitivities)

    step, clip, interpolant = (error(observe) for observe in ("step", "clip", "interpolant"))
    assert step < 1e-8
    assert clip < 1e-8
    assert interpolant > 3 * step


@pytest.mark.slow
def test_initial_state_that_depends_on_parameters_is_differentiated():
    model = Model(
        name="decay",
        vector_field=lambda t, y, p: -p[0] * y,
        states={"y": (2.0, "mM")},
        parameters={"k": (1.5, "1/s"), "y0": (2.0, "mM")},
        initial_state=lambda p: p[1:],
        t_end=1.0,
    )
    s = gradaudit.sensitivities(model, method="forward_sensitivity", rtol=1e-10).sensitivities[
        -1, 0
    ]
    np.testing.assert_allclose(s, [-2.0 * np.exp(-1.5), np.exp(-1.5)], rtol=1e-8)
    certified = gradaudit.reference(model).sensitivities[-1, 0]
    np.testing.assert_allclose(certified, [-2.0 * np.exp(-1.5), np.exp(-1.5)], rtol=1e-14)


EQUILIBRIUM = Model(
    name="equilibrium",
    vector_field=lambda t, y, p: p - 2.0 * y,
    states={"y": (0.5, "")},
    parameters={"a": (1.0, "")},
    t_end=1.0,
)


def test_equilibrium_is_wrong_at_every_tolerance_and_the_indicator_sees_it():
    """The state stands still, so nothing limits the steps that the tangent is carried by."""
    exact = (1.0 - np.exp(-2.0)) / 2.0
    for rtol in (1e-4, 1e-7, 1e-10):
        wrong = gradaudit.sensitivities(EQUILIBRIUM, rtol=rtol, times=[1.0])
        right = gradaudit.sensitivities(
            EQUILIBRIUM, rtol=rtol, times=[1.0], method="forward_sensitivity"
        )
        assert abs(wrong.sensitivities[-1, 0, 0] / exact - 1.0) > 1e-3
        assert abs(right.sensitivities[-1, 0, 0] / exact - 1.0) < 10 * rtol
        assert wrong.indicator * rtol > 1e-2  # does not fall: no convergence
        assert right.indicator < 5.0  # what the controller lets pass, up to the norm


@pytest.mark.slow
def test_kvaerno5_survives_rejected_stages_that_are_not_finite():
    neuron = replace(gradaudit.load_model("liu_neuron"), t_end=60.0, observations=7)
    reference = gradaudit.reference(neuron, digits=8)
    for rtol in (1e-3, 1e-4):
        result = gradaudit.sensitivities(neuron, solver="kvaerno5", rtol=rtol)
        assert result.status == "ok"
        assert _relative(result.sensitivities[1:], reference.sensitivities[1:]) < 0.1


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("field", "start", "limit", "statuses"),
    [
        (lambda t, y, p: p[0] * y**2, 1.0, 3000, {"max_steps", "step_underflow"}),  # blows up
        (lambda t, y, p: -p[0] / jnp.sqrt(y), 1.0, 3000, {"max_steps", "step_underflow"}),  # ends
        (lambda t, y, p: -p[0] * y, 1.0, 3, {"max_steps"}),  # is not given the steps
    ],
)
def test_failed_solve_is_a_status_not_a_number(field, start, limit, statuses):
    model = Model(
        name="fails",
        vector_field=field,
        states={"y": (start, "")},
        parameters={"k": (2.0, "")},
        t_end=3.0,
    )
    result = gradaudit.sensitivities(model, rtol=1e-8, max_steps=limit)
    assert result.status in statuses
    assert np.all(np.isnan(result.sensitivities))
    assert np.all(np.isnan(result.states))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"solver": "ode45"}, "the solvers are tsit5"),
        ({"method": "magic"}, "the methods are forward_ad"),
        ({"rtol": -1e-3}, "positive number"),
        ({"rtol": "1e-3"}, "positive number"),
        ({"atol": 0.0}, "positive number"),
        ({"observe": "guess"}, "choose from step"),
    ],
)
def test_settings_are_checked(setting, words):
    with pytest.raises(SettingError, match=words):
        gradaudit.sensitivities(OSCILLATOR, **setting)


def test_dual_numbers_are_chunked_as_by_forwarddiff():
    assert dual_chunks(12)[0] == 12
    width, chunks = dual_chunks(13)
    assert width == 7
    assert [list(c) for c in chunks] == [list(range(7)), list(range(7, 13))]


def test_finite_differences_agree_with_the_wrong_number():
    """They differentiate the same uncontrolled steps, so they confirm what forward AD says."""
    exact = (1.0 - np.exp(-2.0)) / 2.0
    settings = {"rtol": 1e-3, "times": [1.0]}
    ad = gradaudit.sensitivities(EQUILIBRIUM, **settings).sensitivities[-1, 0, 0]
    fd = gradaudit.sensitivities(EQUILIBRIUM, method="finite_difference", **settings)
    difference = fd.sensitivities[-1, 0, 0]
    assert abs(difference / ad - 1.0) < 1e-6
    assert abs(difference / exact - 1.0) > 1e-3


EVENTFUL = Model(
    name="eventful",
    vector_field=lambda t, y, p: -p * y,
    states={"y": (1.0, "1")},
    parameters={"k": (1.0, "1/s")},
    t_end=1.0,
    events={
        "low": Event(when=lambda t, y, p: y[0] - 0.5),
        "lower": Event(when=lambda t, y, p: y[0] - 0.2),
    },
)


def marks(perturbed=()):
    """Of three slots the last two are in use, the later event first."""
    time = np.array([np.nan, 0.9, 0.4])
    return RecordedEvents(
        marker=np.array([-1, 1, 0]),
        time=time,
        slope=np.arange(3.0)[:, None],
        state=np.arange(6.0).reshape(3, 2),
        tangents=np.arange(6.0).reshape(3, 2, 1),
        rate=np.zeros((3, 2)),
        perturbed=perturbed,
    )


def test_records_are_in_the_order_of_time_and_empty_slots_are_left_out():
    records, perturbed = Program(EVENTFUL, StaticOptions())._records_of(marks())
    assert [(record.name, record.time) for record in records] == [("low", 0.4), ("lower", 0.9)]
    np.testing.assert_array_equal(records[0].state, [4.0, 5.0])
    np.testing.assert_array_equal(records[1].slope, [1.0])
    assert perturbed == ()


def test_events_of_the_perturbed_solve_are_in_the_order_of_those_of_the_solve():
    own = (np.array([np.nan, 0.3, 0.5]), *marks()[2:6])
    records, perturbed = Program(EVENTFUL, StaticOptions())._records_of(marks(own))
    assert [record.name for record in perturbed] == [record.name for record in records]
    assert [record.time for record in perturbed] == [0.5, 0.3]


def test_a_model_without_events_has_no_records():
    assert Program(EVENTFUL, StaticOptions())._records_of(()) == ((), ())
