"""Methods of other tools: they agree with the reference, and say what they cannot do."""

from dataclasses import replace
from importlib.util import find_spec

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Model, SettingError
from gradaudit.pipeline.config import check_names, study_of
from gradaudit.sensitivity.api import METHODS
from gradaudit.sensitivity.external import requirements as extras

MISSING = sorted({n for names in extras.packages().values() for n in names if find_spec(n) is None})
needs_tools = pytest.mark.skipif(
    bool(MISSING), reason=f"{' and '.join(MISSING)} not installed: the extra 'witnesses'"
)
FULL, PARTIAL = ("cvodes", "diffsol"), ("cvodes_partial", "diffsol_partial")


def _model(field, states, parameters, t_end=1.0, **more):
    return Model(
        name="case",
        vector_field=field,
        states={f"y{i}": (y, "1") for i, y in enumerate(states)},
        parameters={f"p{j}": (p, "1") for j, p in enumerate(parameters)},
        t_end=t_end,
        observations=5,
        **more,
    )


def _worst(computed, exact):
    """Error over each parameter's largest sensitivity, the worst of all."""
    return np.max(np.abs(computed - exact) / np.max(np.abs(exact), axis=(0, 1)))


@pytest.mark.parametrize("method", extras.packages())
def test_a_missing_package_is_an_error_before_anything_is_solved(method, monkeypatch, tmp_path):
    from gradaudit.stages import gradients

    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    message = rf"{method}' needs casadi.*gradaudit\[witnesses\]"
    with pytest.raises(SettingError, match=message):
        gradaudit.sensitivities("logistic", method=method)
    with pytest.raises(SettingError, match=message):
        check_names(study_of({"methods": ["forward_ad", method]}))
    settings = {"methods": ["forward_ad", method]}
    with pytest.raises(SettingError, match=message):
        gradients.run(model="logistic", solver="tsit5", settings=settings, output=tmp_path / "a.nc")
    assert not list(tmp_path.iterdir())


def test_every_witness_is_a_method():
    assert set(extras.packages()) < set(METHODS)


def test_axes_of_other_solvers_are_refused():
    with pytest.raises(SettingError, match="has no steps"):
        gradaudit.sensitivities("logistic", method="cvodes", steps=10)
    with pytest.raises(SettingError, match="has no dtype"):
        gradaudit.sensitivities("logistic", method="diffsol", dtype="float32")


@pytest.mark.slow
@needs_tools
def test_translation_is_the_function():
    """Every rule against JAX at a point: they differ by the last digits of a sum."""
    import casadi

    from gradaudit.backend.jaxpr.tracing import trace
    from gradaudit.sensitivity.external.casadi_translate import run

    matrix = jnp.array([[1.0, 2.0, 0.0], [0.5, 0.0, -1.0]])

    def function(t, y):
        x = 0.5 * jnp.tanh(y)
        smooth = [jnp.sin(x), jnp.cos(t * x), jnp.tan(x), jnp.arcsin(x), jnp.arccos(x), jnp.sinh(x)]
        smooth += [jnp.arctan(x), jnp.arcsinh(x), jnp.arccosh(2.0 + x), jnp.arctanh(x), jnp.cosh(x)]
        smooth += [jnp.exp(x), jnp.exp2(x), jnp.expm1(x), jnp.log1p(x), jnp.log(2.0 + x)]
        smooth += [jax.nn.sigmoid(x), jax.nn.softplus(x), jax.scipy.special.erf(x)]
        smooth += [x**3, x**-2, (2.0 + x) ** 1.5, 2.0**x, jnp.sqrt(2.0 + x), jax.lax.rsqrt(2.0 + x)]
        kinked = [jnp.abs(x), jnp.sign(x), jnp.maximum(x, 0.1), jnp.minimum(x, t), -x]
        kinked += [jnp.clip(x, -0.1, 0.2), jnp.where((x > 0.0) & ~(x >= 0.3), x, t)]
        kinked += [jnp.where((x < -0.2) | (x <= 0.1), x**2, 1.0), (x != 0.1) * x]
        running = jax.lax.scan(lambda c, a: (c * a + t, c), 1.0, x)
        sums = [jnp.sum(x), jnp.prod(x), jnp.max(x), jnp.min(x), x @ x, running[0]]
        sums += [jnp.outer(x, x)[0, 2], jnp.einsum("ij,kj->ik", matrix, jnp.stack([x, y]))[1, 0]]
        parts = [matrix @ x, jnp.cumsum(x), jnp.cumprod(x), jax.lax.cumsum(x, reverse=True)]
        parts += [x[::-1], jnp.roll(x, 1), x.at[1].set(t), running[1], jnp.stack(sums)]
        return jnp.concatenate([*smooth, *kinked, *parts])

    t, y = casadi.SX.sym("t"), casadi.SX.sym("y", 3)
    entries = np.array([y[0], y[1], y[2]], dtype=object)
    (result,) = run(trace(function, [None, 3], "function"), [t, entries], "function")
    translated = casadi.Function("f", [t, y], [casadi.vertcat(*result)])
    for point in (np.array([0.3, -1.2, 0.8]), np.array([-0.4, 0.9, 2.0])):
        values = np.array(translated(0.7, point))[:, 0]
        np.testing.assert_allclose(values, function(0.7, point), rtol=1e-14, atol=1e-15)


@needs_tools
@pytest.mark.parametrize("name", ["logistic", "lotka_volterra"])
def test_witnesses_agree_with_the_reference(name):
    """At rtol 1e-8 errors are the tolerance times the steps and the growth of the tangents."""
    model = gradaudit.load_model(name)
    times = [model.t_end / 3.0, model.t_end]
    exact = gradaudit.reference(model, times=times)
    for method in (*FULL, *PARTIAL):
        found = gradaudit.sensitivities(model, method=method, rtol=1e-8, times=times)
        assert found.status == "ok"
        assert found.stats["seconds"] > 0.0
        assert found.sensitivities.shape == exact.sensitivities.shape
        assert found.integral_sensitivities.shape == exact.integral_sensitivities.shape
        bound = 1e-5 if method in FULL else 1e-4
        assert _worst(found.sensitivities, exact.sensitivities) < bound
        assert _worst(found.integral_sensitivities, exact.integral_sensitivities) < bound
        np.testing.assert_allclose(found.states, exact.states, rtol=bound)
        np.testing.assert_allclose(found.integrals, exact.integrals, rtol=bound)


@needs_tools
def test_only_full_control_sees_the_tangent_of_an_equilibrium():
    """The state is exact at every step, so that nothing but its tangent can limit the step."""
    model = gradaudit.load_model("equilibrium_linear")
    exact = -np.expm1(-2.0) / 2.0
    for full, partial in zip(FULL, PARTIAL, strict=True):
        errors = [
            abs(
                gradaudit.sensitivities(
                    model, method=method, rtol=1e-10, times=[1.0]
                ).sensitivities.item()
                / exact
                - 1.0
            )
            for method in (full, partial)
        ]
        assert errors[0] < 1e-7
        assert errors[1] > 100.0 * errors[0]


@pytest.mark.sampled(4)
@needs_tools
@pytest.mark.parametrize("method", [*FULL, *PARTIAL])
def test_initial_states_and_time_may_be_in_the_equations(method):
    def field(t, y, p):
        return jnp.stack([-p[0] * y[0] + jnp.cos(p[1] * t)])

    model = _model(
        field, [0.0], [0.7, 2.0, 3.0], initial_state=lambda p: jnp.stack([p[2] ** 2 + p[0]])
    )
    exact = gradaudit.reference(model)
    found = gradaudit.sensitivities(model, method=method, rtol=1e-9)
    assert found.sensitivities[0].tolist() == [[1.0, 0.0, 6.0]]
    assert _worst(found.sensitivities, exact.sensitivities) < 1e-5
    start = gradaudit.sensitivities(model, method=method, times=[0.0])
    assert start.status == "ok"
    assert start.states.item() == pytest.approx(9.7, rel=1e-14)
    assert start.sensitivities.ravel().tolist() == [1.0, 0.0, 6.0]


@needs_tools
@pytest.mark.parametrize("method", [*FULL, *PARTIAL])
def test_results_do_not_depend_on_the_unit_of_a_parameter(method):
    """A power of two changes no digit of a product."""
    unit = 2.0**-40
    one = _model(lambda t, y, p: p[0] * y * (1.0 - y / p[1]), [0.5], [1.0, 10.0], 5.0)
    other = _model(
        lambda t, y, p: p[0] * y * (1.0 - y / (p[1] / unit)), [0.5], [1.0, 10.0 * unit], 5.0
    )
    plain, scaled = (gradaudit.sensitivities(m, method=method, rtol=1e-6) for m in (one, other))
    np.testing.assert_allclose(
        scaled.sensitivities * [1.0, unit], plain.sensitivities, rtol=1e-9, atol=1e-12
    )


@pytest.mark.sampled(3)
@needs_tools
@pytest.mark.parametrize(
    ("field", "start", "statuses"),
    [
        (lambda t, y, p: p[0] * y**2, 1.0, {"step_underflow", "max_steps"}),  # blows up at t = 1
        (lambda t, y, p: -p[0] / jnp.sqrt(y), 1.0,  # ends at t = 2/3
         {"step_underflow", "max_steps", "non_finite"}),
        (lambda t, y, p: jax.lax.while_loop(lambda z: z[0] < 1.0, lambda z: 2.0 * z, y) * p, 0.3,
         {"not_translatable"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", [*FULL, *PARTIAL])
def test_failures_are_statuses(field, start, statuses, method):
    model = _model(field, [start], [1.0], 2.0)
    found = gradaudit.sensitivities(model, method=method, rtol=1e-6, max_steps=2000)
    assert found.status in statuses
    assert np.all(np.isnan(found.sensitivities))
    assert np.all(np.isnan(found.states))


@needs_tools
def test_steps_that_are_not_given_are_a_status():
    found = gradaudit.sensitivities("logistic", method="cvodes", rtol=1e-6, max_steps=5)
    assert found.status == "max_steps"


@needs_tools
def test_jumps_and_branches_that_a_tool_has_not_are_statuses():
    for method in (*FULL, *PARTIAL):
        assert gradaudit.sensitivities("bouncing_ball", method=method).status == "has_jumps"
    switch = gradaudit.load_model("switch_in_time")
    assert gradaudit.sensitivities(switch, method="diffsol").status == "not_translatable"
    found = gradaudit.sensitivities(switch, method="cvodes")  # takes the branches as they stand
    assert found.status == "ok"
    assert np.all(found.sensitivities == 0.0)


@needs_tools
def test_times_that_casadi_does_not_tell_apart_are_refused():
    model = replace(gradaudit.load_model("logistic"), t_end=1e-8)
    with pytest.raises(SettingError, match="unit of time"):
        gradaudit.sensitivities(model, method="cvodes")


@needs_tools
def test_the_stage_stores_witnesses(tmp_path):
    import xarray as xr

    from gradaudit.stages import gradients

    settings = {"methods": list(extras.packages()), "tolerances": [1e-4, 1e-6], "estimate": []}
    settings |= {"atol_factor": 1e-3, "observe": "step", "max_steps": 10_000}
    gradients.run(model="logistic", solver="tsit5", settings=settings, output=tmp_path / "a.nc")
    with xr.open_dataset(tmp_path / "a.nc") as stored:
        assert (stored["status"] == "ok").all()
        assert stored["sensitivities"].notnull().all()
