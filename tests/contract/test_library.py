"""Every model of the library keeps what a model promises."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit.sensitivity.taylor import taylor_sensitivities
from library_models import DECLARED, MODELS

NAMES = list(DECLARED)
EXACT = [name for name, model in DECLARED.items() if model.exact_solution is not None]
GIVEN = [name for name, model in DECLARED.items() if model.exact_sensitivities is not None]
JUMPS = [name for name in EXACT if DECLARED[name].jumps]
EVENTS = [name for name, model in DECLARED.items() if model.events]
SETTINGS = [
    f"{name}@{axis}={value:g}"
    for name, model in DECLARED.items()
    for axis, values in model.axes.items()
    for value in values
]
EPS = np.finfo(float).eps


@cache
def solution(name):
    """By the Taylor method in double precision, at a tolerance that is tight enough to look at."""
    return taylor_sensitivities(MODELS[name], 1e-9)


@cache
def compiled(name):
    """The vector field with its two Jacobians, and the closed form with its two."""
    model = MODELS[name]

    def field(t, y, p):
        return [
            model.vector_field(t, y, p),
            *jax.jacfwd(model.vector_field, argnums=(1, 2))(t, y, p),
        ]

    def exact(t, p):
        assert model.exact_solution is not None
        return [
            model.exact_solution(t, p),
            *jax.jacfwd(model.exact_solution, argnums=(0, 1))(t, p),
        ]

    return jax.jit(field), jax.jit(exact)


def inner_times(model, count=7):
    """Times that are no round numbers, so that they are no event's."""
    return model.t_end * (np.arange(count) + np.sqrt(0.5)) / count


@pytest.mark.parametrize("name", NAMES)
def test_name_is_the_name_of_its_file(name):
    assert MODELS[name].source.endswith(f"{name}.py")
    assert MODELS[name].name == name


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is_and_where_it_is_from(name):
    model = MODELS[name]
    assert model.description.endswith(".")
    assert model.citation.endswith(".")
    assert model.mechanism
    assert model.regime in ("good", "bad", "horrible")


@pytest.mark.parametrize("name", NAMES)
def test_everything_has_a_unit(name):
    model = MODELS[name]
    assert model.time_unit
    for _, unit in (*model.states.values(), *model.parameters.values()):
        assert unit


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", NAMES)
def test_vector_field_is_finite_and_differentiable_along_the_solution(name):
    """The solution comes from the translated vector field, so this one is traceable too."""
    model, solved = MODELS[name], solution(name)
    assert solved.status == "ok"
    field, _ = compiled(name)
    for index in np.linspace(0, len(solved.times) - 1, 5).astype(int):
        rate, by_state, by_parameter = field(
            solved.times[index], solved.states[index], model.nominal
        )
        assert rate.shape == (model.n,)
        assert by_state.shape == (model.n, model.n)
        assert by_parameter.shape == (model.n, model.m)
        for array in (rate, by_state, by_parameter):
            assert np.all(np.isfinite(array))


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_matters_somewhere(name):
    tangents = solution(name).sensitivities
    assert np.all(np.max(np.abs(tangents), axis=(0, 1)) > 0.0)


@pytest.mark.parametrize("name", NAMES)
def test_observables_and_observations_see_something(name):
    """What functionals look at by default depends on some parameter."""
    model = MODELS[name]
    seen = solution(name).sensitivities[:, list(model.observable_indices)]
    assert np.all(np.max(np.abs(seen), axis=(0, 2)) > 0.0)


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", EXACT)
def test_closed_form_satisfies_the_equation_and_begins_at_the_initial_state(name):
    """Up to rounding: of y in the vector field, of t in the closed form, and of either result."""
    model, (field, exact) = MODELS[name], compiled(name)
    p = model.nominal
    start = model.declared_state if model.initial_state is None else model.initial_state(p)
    np.testing.assert_allclose(exact(0.0, p)[0], start, rtol=4 * EPS, atol=1e-15)
    points = [(t, *exact(t, p)[:2]) for t in inner_times(model)]
    steepest = max(np.max(np.abs(slope)) for _, _, slope in points)
    for t, y, slope in points:
        rate, by_state, _ = field(t, y, p)
        # rounding t moves a phase w t by eps w t
        sizes = np.abs(by_state) @ np.abs(y) + steepest * (
            1.0 + model.t_end * np.max(np.abs(by_state))
        )
        np.testing.assert_array_less(np.abs(slope - rate), 50 * EPS * sizes)


def jumps_of(name):
    """Where the closed form jumps: pairs of times next to each other in floating point."""
    model, (field, exact) = MODELS[name], compiled(name)
    p = model.nominal
    grid = np.linspace(0.0, model.t_end, 257)
    values = [np.asarray(exact(t, p)[0]) for t in grid]
    for left, right, y, z in zip(grid, grid[1:], values, values[1:], strict=False):
        rates = [np.abs(field(t, s, p)[0]) for t, s in ((left, y), (right, z))]
        if np.all(np.abs(z - y) <= 1.5 * np.maximum(*rates) * (right - left) + 1e-3 * np.abs(y)):
            continue
        while right - left > 4 * EPS * right:
            middle = 0.5 * (left + right)
            centre = np.asarray(exact(middle, p)[0])
            if np.max(np.abs(centre - y)) > np.max(np.abs(z - centre)):
                right, z = middle, centre
            else:
                left, y = middle, centre
        if np.max(np.abs(z - y)) > 1e-6 * np.max(np.abs(y)):
            yield left, y, z


@pytest.mark.parametrize("name", JUMPS)
def test_closed_form_jumps_as_the_event_says(name):
    """To 1e-12: the time of the jump is known to rounding, relative to the window."""
    model = MODELS[name]
    p, found = jnp.asarray(model.nominal), list(jumps_of(name))
    (event,) = model.events.values()
    assert found
    for t, before, after in found:
        y = jnp.asarray(before)
        rate = model.vector_field(t, y, p)
        value, speed = jax.jvp(lambda t, y: event.when(t, y, p), (t, y), (1.0, rate))
        size = max(1.0, float(np.max(np.abs(before))))
        assert abs(value) < 1e-12 * size
        assert event.direction * speed > 0.0
        np.testing.assert_allclose(event.jump(t, y, p), after, rtol=1e-12, atol=1e-12 * size)


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_happens_within_the_window(name):
    """`when` changes its sign, or the state that it looks at jumps away from it."""
    model, solved = MODELS[name], solution(name)
    p = jnp.asarray(model.nominal)
    for event in model.events.values():
        signs = [
            np.sign(event.when(t, jnp.asarray(y), p))
            for t, y in zip(solved.times, solved.states, strict=True)
        ]
        jumped = event.jump is not None and bool(list(jumps_of(name)))
        assert len(set(signs) - {0.0}) == 2 or jumped


@pytest.mark.parametrize("name", sorted(set(EXACT) & set(GIVEN)))
def test_closed_sensitivities_are_the_derivative_of_the_closed_form(name):
    """To 1e-11 of the largest: the derivative that JAX makes of a closed form may cancel."""
    model, (_, exact) = MODELS[name], compiled(name)
    p = jnp.asarray(model.nominal)
    given = [np.asarray(model.exact_sensitivities(t, p)) for t in inner_times(model)]
    derived = [np.asarray(exact(t, p)[2]) for t in inner_times(model)]
    np.testing.assert_allclose(given, derived, rtol=0, atol=1e-11 * np.max(np.abs(given)))


@pytest.mark.parametrize("name", GIVEN)
def test_closed_sensitivities_satisfy_the_variational_equation(name):
    """S' = f_y S + f_p; to 1e-6, since the states come from a solve at a tolerance of 1e-9."""
    model, solved, (field, _) = MODELS[name], solution(name), compiled(name)
    p = jnp.asarray(model.nominal)
    rate_of = jax.jit(jax.jacfwd(model.exact_sensitivities))
    np.testing.assert_allclose(model.exact_sensitivities(0.0, p), 0.0, atol=1e-15)
    for index in range(5, len(solved.times), len(solved.times) // 5):
        t, y = float(solved.times[index]), solved.states[index]
        _, by_state, by_parameter = field(t, y, p)
        tangent = model.exact_sensitivities(t, p)
        terms = np.abs(by_state) @ np.abs(tangent) + np.abs(by_parameter)
        error = np.abs(rate_of(t, p) - by_state @ tangent - by_parameter)
        np.testing.assert_array_less(error, 1e-6 * np.max(terms))


@pytest.mark.sampled(6)
@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_of_an_axis_loads(setting):
    """Loading checks shapes and finiteness at the start."""
    model = gradaudit.load_model(setting)
    base = MODELS[setting.partition("@")[0]]
    assert model.name == setting
    assert model.mechanism == base.mechanism
    assert dict(model.axes) == dict(base.axes)
