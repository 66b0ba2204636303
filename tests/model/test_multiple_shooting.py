"""Shooting: in every window the solution starts from data, and its sensitivities from 0."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import gradaudit
from gradaudit import Model, ModelError, shooting
from gradaudit.evaluation.audit_table import evaluate
from gradaudit.model.metadata import describe
from gradaudit.model.multiple_shooting import simulated_data
from gradaudit.model.quadratures import integrand_names
from gradaudit.pipeline.config import Study
from gradaudit.records.event_arrays import event_arrays
from gradaudit.records.gradients_dataset import to_dataset

RATE = 0.7
DECAY = Model(
    name="decay",
    vector_field=lambda t, y, p: -p[0] * y,
    states={"y": (1.0, "mol")},
    parameters={"k": (RATE, "1/s"), "y0": (2.0, "mol")},
    initial_state=lambda p: jnp.stack([p[1]]),
    exact_solution=lambda t, p: jnp.stack([p[1] * jnp.exp(-p[0] * t)]),
    t_end=3.0,
    time_unit="s",
)
DATA = [[1.3], [0.9]]
TOLERANCES = (1e-6, 1e-7, 1e-8)
LORENZ = "lorenz@t_end=30"


@cache
def cut_decay() -> Model:
    return shooting(DECAY, windows=3, data=DATA)


@cache
def cut_lorenz() -> Model:
    return gradaudit.load_model(f"{LORENZ},windows=15")


@cache
def certified(name: str):
    return gradaudit.reference({"decay": cut_decay, "lorenz": cut_lorenz}[name](), digits=10.0)


def exact_decay(times):
    """States (T, 1) and sensitivities (T, 1, 2): d exp(-k s), s since the start of the window."""
    window = np.floor(times).clip(max=2).astype(int)
    start, since = np.array([2.0, *np.ravel(DATA)])[window], times - window
    states = start * np.exp(-RATE * since)
    by_start = np.where(window == 0, np.exp(-RATE * since), 0.0)
    return states[:, None], np.stack([-since * states, by_start], axis=-1)[:, None]


@pytest.mark.slow
def test_reference_of_a_cut_model_is_its_closed_form():
    found = certified("decay")
    states, slopes = exact_decay(found.times)
    np.testing.assert_allclose(found.states, states, rtol=1e-13)
    np.testing.assert_allclose(found.sensitivities, slopes, rtol=1e-12, atol=1e-14)
    assert found.status == "ok"
    assert [hit.time for hit in found.events] == pytest.approx([1.0, 2.0], abs=1e-14)
    assert all(np.all(np.asarray(hit.slope) == 0.0) for hit in found.events)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["forward_ad", "forward_sensitivity", "saltation"])
def test_restarts_need_no_saltation(method):
    """Their times depend on nothing, so that forward AD is right as well."""
    found = gradaudit.sensitivities(cut_decay(), method=method, rtol=1e-8)
    states, slopes = exact_decay(found.times)
    assert found.status == "ok"
    np.testing.assert_allclose(found.states, states, atol=1e-6)
    np.testing.assert_allclose(found.sensitivities, slopes, atol=1e-6)


@pytest.mark.slow
def test_limit_cycle_in_windows_has_a_closed_form():
    """Off the cycle as well, where rounded data are."""
    model = gradaudit.load_model("limit_cycle@t_end=20,windows=5")
    found, p = gradaudit.reference(model, digits=10.0), jnp.asarray(model.nominal)
    assert model.exact_solution is not None
    states = jax.vmap(model.exact_solution, (0, None))(found.times, p)
    slopes = jax.vmap(jax.jacfwd(model.exact_solution, 1), (0, None))(found.times, p)
    np.testing.assert_allclose(found.states, states, atol=1e-14)
    np.testing.assert_allclose(found.sensitivities, slopes, atol=1e-13)
    assert np.max(np.abs(found.sensitivities)) < 4.0 < 20.0  # a window and not all of them


@pytest.mark.slow
def test_a_window_is_a_fresh_solve_from_its_data():
    """The tenth window of Lorenz' equations, alone; to the digits of both certificates."""
    cut, start = cut_lorenz(), 18.0
    found = certified("lorenz")
    data = simulated_data(gradaudit.load_model(LORENZ), 15)[8]
    inside = (found.times > start) & (found.times < start + 2.0)
    fresh = replace(
        gradaudit.load_model("lorenz"),
        name="fresh",
        states={name: (float(v), "1") for name, v in zip(cut.states, data, strict=True)},
        t_end=2.0,
    )
    alone = gradaudit.reference(fresh, times=found.times[inside] - start, digits=10.0)
    assert np.sum(inside) >= 3
    np.testing.assert_allclose(found.states[inside], alone.states, rtol=1e-11)
    size = np.max(np.abs(alone.sensitivities))
    np.testing.assert_allclose(found.sensitivities[inside], alone.sensitivities, atol=1e-10 * size)


@pytest.mark.slow
def test_sensitivities_are_bounded_by_the_windows_and_not_by_the_trace():
    """Largest entry: about 100 in windows of 2, and beyond 1e9 in one of 30."""
    whole = gradaudit.reference(LORENZ, digits=3.0, time_limit=60.0)
    cut = certified("lorenz")
    assert np.max(np.abs(cut.sensitivities)) < 1e3
    assert np.max(np.abs(whole.sensitivities)) > 1e9
    assert float(cut.digits) > 10.0


def losses(model: Model, digits: float):
    """Rows of `trace_sse` with noisy data, forward AD by tsit5."""
    result = gradaudit.reference(model, digits=digits)
    reference = xr.Dataset(
        {
            "states": (("time", "state"), result.states),
            "sensitivities": (("time", "state", "parameter"), result.sensitivities),
            "integrals": (("time", "integral"), result.integrals),
            "integral_sensitivities": (
                ("time", "integral", "parameter"),
                result.integral_sensitivities,
            ),
            **event_arrays((), [result.events], (), model),
        },
        coords={"time": result.times, "integral": integrand_names(model)},
        attrs={
            "model_json": describe(model, model.name),
            "digits": float(result.digits),
            "integral_digits": float(result.integral_digits),
        },
    )
    rows = [gradaudit.sensitivities(model, rtol=rtol) for rtol in TOLERANCES]
    stored = to_dataset(model, rows, methods=["forward_ad"], tolerances=list(TOLERANCES))
    stored["atol"] = ("rtol", [1e-3 * rtol for rtol in TOLERANCES])
    settings = {
        "functionals": {**Study().functionals.model_dump(), "kinds": ["trace_sse"]},
        "verdict": Study().verdict.model_dump(),
    }
    table = evaluate(reference, [stored.assign_attrs(solver="tsit5")], settings)
    return table[table["functional"] == "trace_sse_noisy"].set_index("rtol")


@pytest.mark.slow
def test_shooting_cures_the_loss_of_a_chaotic_trace():
    """Lorenz' equations up to T = 30: horrible in one piece at 1e-6, good in windows of 2."""
    whole = losses(gradaudit.load_model(LORENZ), digits=4.0)
    cut = losses(cut_lorenz(), digits=10.0)
    assert set(whole["status"]) == set(cut["status"]) == {"ok"}
    assert whole.loc[1e-6, "verdict"] == "horrible"
    assert whole.loc[1e-6, "error"] > 0.5
    assert cut.loc[1e-6, "verdict"] == "good"
    assert cut.loc[1e-6, "error"] < 5e-3
    assert set(cut["ladder_verdict"]) == {"good"}


@pytest.mark.parametrize("windows", [2, 7, 10, 30, 50])
def test_no_observation_is_at_a_restart(windows):
    data = np.ones((windows - 1, 1))
    model = shooting(DECAY, windows=windows, data=data)
    assert DECAY.observations <= model.observations <= 2 * DECAY.observations
    restarts = 3.0 * np.arange(1, windows) / windows
    apart = np.abs(model.times()[:, None] - restarts)
    assert np.min(apart) > 1e-5 * model.t_end
    assert model.times()[-1] == model.t_end


def test_restarts_may_be_at_given_times():
    model = shooting(DECAY, times=[0.5, 2.2], data=DATA)
    found = gradaudit.reference(model, times=[0.4, 2.1, 3.0])
    expected = [
        2.0 * math.exp(-0.4 * RATE),
        1.3 * math.exp(-1.6 * RATE),
        0.9 * math.exp(-0.8 * RATE),
    ]
    np.testing.assert_allclose(found.states[:, 0], expected, rtol=1e-13)


@pytest.mark.parametrize(
    "wrong",
    [
        {"windows": 3},
        {"windows": 3, "data": [[1.0]]},
        {"windows": 3, "data": [[1.0], [math.nan]]},
        {"windows": 3, "times": [1.0, 2.0], "data": DATA},
        {"data": DATA},
        {"windows": 2.5, "data": DATA},
        {"windows": 0, "data": DATA},
        {"times": [2.0, 1.0], "data": DATA},
        {"times": [0.0, 1.0], "data": DATA},
        {"times": [1.0, 3.0], "data": DATA},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ModelError, match="decay"):
        shooting(DECAY, **{"data": [], **wrong})


def test_a_model_cannot_be_cut_twice():
    with pytest.raises(ModelError, match="restart_1"):
        shooting(cut_decay(), windows=3, data=DATA)


@pytest.mark.parametrize("name", ["lorenz", "limit_cycle"])
def test_one_window_is_the_model_as_it_was(name):
    """All but the function itself, which is another object in each import of the file."""
    model, one = (gradaudit.load_model(n) for n in (name, f"{name}@windows=1"))
    assert replace(one, name=name, vector_field=model.vector_field, exact_solution=None) == replace(
        model, exact_solution=None
    )
    assert not model.events


def test_data_are_rounded_and_follow_the_model():
    """Each window ends within rounding of the next one's data."""
    model = gradaudit.load_model("limit_cycle")
    data = simulated_data(model, 20)
    np.testing.assert_array_equal(data, np.round(data, 3))
    angle = 10.0 * np.arange(1, 20)
    exact = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    # rounded by up to 5e-4 in each window, and only the phase remembers
    assert np.max(np.abs(data - exact)) < 20 * 1e-3
