"""No certificate claims more digits than hold: all closed forms of the library, in 237 bits.

The closed form of a model is evaluated in multiple precision at random parameters: by the
translator where it is smooth, and as written here again where events cut it into pieces. Each is
first compared with the closed form that the model gives in double precision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import heyoka as hy
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit.certification.heyoka.precision import multiple, to_float64
from gradaudit.certification.heyoka.translate import translate
from library_models import DECLARED, MODELS

BITS = 237
PRECISION = multiple(BITS)
KNOWN = {
    name: model
    for name, model in DECLARED.items()
    if model.exact_solution is not None or model.exact_sensitivities is not None
}
SMOOTH = [name for name, model in KNOWN.items() if not model.events]
CUT = [name for name, model in KNOWN.items() if model.events]
SPREAD = 0.2


def number(value):
    return hy.real(float(value), BITS)


def near_one(*positions):
    """Of the parameters at these positions it is the distance from 1 that varies."""

    def vary(p, draw):
        varied = p * draw
        for j in positions:
            varied[j] = 1.0 + (p[j] - 1.0) * draw[j]
        return varied

    return vary


# The closed form holds at the nominal parameters only, or on one side of 1 (the bounces of a ball
# with a smaller e would accumulate within the window).
VARIED: dict[str, Callable] = {
    "lotka_volterra_equilibrium": lambda p, draw: p,
    "snic": near_one(0),
    "bouncing_ball": near_one(1),
    "grazing_oscillator": near_one(2),
}


def at_random_parameters(name, seed):
    """The model with every parameter off by up to 20 %."""
    model = MODELS[name]
    draw = np.random.default_rng([seed, len(name)]).uniform(1 - SPREAD, 1 + SPREAD, model.m)
    p = VARIED.get(name, lambda p, draw: p * draw)(model.nominal, draw)
    quantities = {
        key: (float(value), unit)
        for value, (key, (_, unit)) in zip(p, model.parameters.items(), strict=True)
    }
    return replace(model, parameters=quantities)


def translated(model, function, times):
    """A smooth `function(t, p)`, flattened, at all times, (T, entries)."""
    t = hy.expression("t")
    p = [hy.expression(f"p{index}") for index in range(model.m)]
    entries = translate(
        lambda t, p: jnp.ravel(function(t, p)), [t, p], precision=PRECISION, where=model.name
    )
    return evaluated(entries, [t, *p], model, times)


def slopes(model, times):
    """Derivatives of the smooth closed form with respect to the parameters, (T, n * m)."""
    t = hy.expression("t")
    p = [hy.expression(f"p{index}") for index in range(model.m)]
    states = translate(model.exact_solution, [t, p], precision=PRECISION, where=model.name)
    entries = [hy.diff(state, parameter) for state in states for parameter in p]
    return evaluated(entries, [t, *p], model, times)


def evaluated(entries, variables, model, times):
    compiled = hy.cfunc(entries, variables, fp_type=hy.real, prec=BITS)
    rows = [compiled(PRECISION.array([t, *model.nominal])) for t in times]
    return np.stack(rows)


def smooth_sensitivities(model, times):
    if model.exact_sensitivities is not None:
        flat = translated(model, model.exact_sensitivities, times)
    else:
        flat = slopes(model, times)
    return flat.reshape(len(times), model.n, model.m)


# Closed forms in pieces, of numbers t and parameters in 237 bits.


def ball(t, g, e, h0):
    start, speed = number(0), None
    flight = (2 * h0 / g) ** number(0.5)
    while start + flight < t:
        start = start + flight
        speed = e * (g * flight if speed is None else speed)
        flight = 2 * speed / g
    s = t - start
    if speed is None:
        return [h0 - g * t * t / 2, -g * t]
    return [speed * s - g * s * s / 2, speed - g * s]


def neuron(t, drive, tau, threshold, low):
    period = tau * np.log((drive - low) / (drive - threshold))
    s = t
    while period < s:
        s = s - period
    return [drive - (drive - low) * np.exp(-s / tau)]


def wall(t, w, e, c):
    speed = (1 - c * c) ** number(0.5)
    s = w * t - np.arctan2(speed, -c)
    if s < number(0):
        return [np.cos(w * t), -np.sin(w * t)]
    return [
        e * speed * np.sin(s) - c * np.cos(s),
        e * speed * np.cos(s) + c * np.sin(s),
    ]


def infusion(t, rate, k, start, duration):
    zero = number(0)
    if t < start:
        return [zero]
    end = start + duration
    within = t - start if t < end else duration
    after = zero if t < end else t - end
    return [rate / k * (1 - np.exp(-k * within)) * np.exp(-k * after)]


def doses(t, dose, ka, ke, second):
    gut, blood = number(0), number(0)
    for s in (t, t - second):
        if not s < number(0):
            gut = gut + dose * np.exp(-ka * s)
            blood = blood + dose * ka / (ka - ke) * (np.exp(-ke * s) - np.exp(-ka * s))
    return [gut, blood]


PIECES: dict[str, Callable] = {
    "bouncing_ball": ball,
    "integrate_and_fire": neuron,
    "grazing_oscillator": wall,
    "infusion": infusion,
    "repeated_dose": doses,
    "switch_in_time": lambda t, p: [t if t < p else p],
    "switch_in_state": lambda t, p: [t if t < p else 2 * t - p],
}


def cut_sensitivities(model, times):
    """Central differences of width 1e-25, whose error of 1e-45 is far below what is looked for."""
    form, step = PIECES[model.name], number(1e-25)
    p = PRECISION.array(model.nominal)
    result = np.empty((len(times), model.n, model.m), dtype=hy.real)
    for row, t in enumerate(times):
        for j in range(model.m):
            sides = []
            for sign in (1, -1):
                shifted = list(p)
                shifted[j] = p[j] + sign * step * p[j]
                sides.append(form(number(t), *shifted))
            for i, (upper, lower) in enumerate(zip(*sides, strict=True)):
                result[row, i, j] = (upper - lower) / (2 * step * p[j])
    return result


def in_double(model, times):
    function = model.exact_sensitivities or jax.jacfwd(model.exact_solution, argnums=1)
    return np.asarray(
        jax.jit(jax.vmap(function, in_axes=(0, None)))(jnp.asarray(times), model.nominal)
    )


def check(model, certified, truth):
    """The digits claimed of every entry hold, and the two forms of the truth agree to 1e-9."""
    assert certified.status == "ok"
    assert certified.digits >= 12
    given = in_double(model, certified.times)
    largest = np.max(np.abs(given), axis=(0, 1))
    assert np.max(np.abs(given - to_float64(truth)) / largest) < 1e-9
    lifted = PRECISION.array(certified.sensitivities)
    error = np.abs(to_float64(lifted - truth))
    with np.errstate(divide="ignore", invalid="ignore"):
        held = -np.log10(error / np.abs(to_float64(truth)))
    claimed = certified.digits.per_entry
    counted = np.isfinite(claimed)
    assert np.any(counted)
    assert np.all(claimed[counted] <= held[counted])


@pytest.mark.sampled(14)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", SMOOTH)
def test_claimed_digits_hold(name, seed):
    model = at_random_parameters(name, seed)
    certified = gradaudit.reference(model)
    check(model, certified, smooth_sensitivities(model, certified.times))


@pytest.mark.sampled(14)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", CUT)
def test_claimed_digits_hold_across_events(name, seed):
    model = at_random_parameters(name, seed)
    certified = gradaudit.reference(model)
    check(model, certified, cut_sensitivities(model, certified.times))


def test_claimed_digits_hold_next_to_a_zero_of_the_sensitivity():
    """dv/dc of the damped oscillator at t = 42: a thousandth of the largest entry."""
    model = at_random_parameters("optimum_cancellation", 15)
    certified = gradaudit.reference(model)
    check(model, certified, smooth_sensitivities(model, certified.times))


def test_no_certificate_past_an_accumulation_of_events():
    """With e = 1/2 the bounces end at 3 sqrt(2 h0 / g) = 1.35 s; the ball must not sink below."""
    ball = MODELS["bouncing_ball"]
    model = replace(ball, parameters={**ball.parameters, "e": (0.5, "1")})
    certified = gradaudit.reference(model, time_limit=20.0)
    assert certified.status != "ok" or np.min(certified.states[:, 0]) > -1e-9


@pytest.mark.sampled(18)
@pytest.mark.parametrize("name", sorted(set(DECLARED) - set(KNOWN) - {"liu_neuron"}))
def test_models_without_a_closed_form_have_a_certified_reference(name):
    """The neuron's has tests of its own, in tests/taylor."""
    certified = gradaudit.reference(MODELS[name], digits=10.0)
    assert certified.status == "ok"
    assert certified.digits >= 10
    assert np.all(np.isfinite(certified.sensitivities))
