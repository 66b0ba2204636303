"""Every mechanism, on the library's own model of it, gets the verdict that it predicts.

The stages' functions are used in memory, with short ladders of tolerances. Limits are measured
errors with a factor of three or more to spare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import gradaudit
from gradaudit.evaluation.audit_table import evaluate
from gradaudit.model.loading import library_names
from gradaudit.model.metadata import describe
from gradaudit.model.quadratures import integrand_names
from gradaudit.pipeline.config import Study
from gradaudit.records.event_arrays import event_arrays
from gradaudit.records.gradients_dataset import to_dataset
from gradaudit.records.results import Reference
from gradaudit.sensitivity.programs import program
from gradaudit.solvers.error_norm import Control
from gradaudit.solvers.options import StaticOptions, TracedOptions

AD, FULL, SALTATION = "forward_ad", "forward_sensitivity", "saltation"
LADDER = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
PRESENTED = {
    "dense output",
    "Newton truncation",
    "single precision",
    "dependence on parameter units",
    "finite differences as a check",
}
"""Mechanisms of a setting, not of forward AD in double precision: they have tests of their own."""
COVERED_ELSEWHERE = {"dimension", "number of parameters", "grazing event"}
"""Axes of the library beyond the catalogue, and the limit case of an event."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a mechanism predicts: the verdict on the ladder of every method.

    The first method is the one that the mechanism is about, unless the case is `cured` as a whole,
    by its solver, functional or window. `until` cuts the window: the same solve up to that time.
    """

    model: str
    functional: str
    kind: str
    verdicts: Mapping[str, str]
    solver: str = "tsit5"
    tolerances: Sequence[float] = LADDER
    until: float | None = None
    cured: bool = False


CASES = {
    "smooth": Case(
        model="logistic", functional="terminal_y", kind="terminal", verdicts={AD: "good"}
    ),
    "stiff_but_slow": Case(
        model="prothero_robinson",
        functional="terminal_y",
        kind="terminal",
        verdicts={AD: "good"},
        solver="kvaerno5",
    ),
    "equilibrium": Case(
        model="equilibrium_linear",
        functional="terminal_y",
        kind="terminal",
        verdicts={AD: "horrible", FULL: "good"},
    ),
    "equilibrium_of_two": Case(
        model="lotka_volterra_equilibrium",
        functional="time_average_u1",
        kind="time_average",
        verdicts={AD: "horrible", FULL: "good"},
    ),
    "exploding": Case(
        model="exploding_tangent@stiffness=1000",
        functional="terminal_y",
        kind="terminal",
        verdicts={AD: "horrible", FULL: "good"},
    ),
    "exploding_cured_by_an_implicit_solver": Case(
        model="exploding_tangent@stiffness=1000",
        functional="terminal_y",
        kind="terminal",
        verdicts={AD: "good"},
        solver="kvaerno5",
        cured=True,
    ),
    "amplification": Case(
        model="liu_neuron", functional="terminal_V", kind="terminal", verdicts={AD: "bad"}
    ),
    "phase_drift": Case(
        model="limit_cycle", functional="terminal_x", kind="terminal", verdicts={AD: "bad"}
    ),
    "phase_drift_in_a_short_window": Case(
        model="limit_cycle",
        functional="terminal_x",
        kind="terminal",
        verdicts={AD: "good"},
        until=10.0,
        tolerances=LADDER[1:],
        cured=True,
    ),
    "chaos": Case(
        model="lorenz@t_end=30", functional="terminal_z", kind="terminal", verdicts={AD: "horrible"}
    ),
    "chaos_in_a_short_window": Case(
        model="lorenz@t_end=30",
        functional="terminal_z",
        kind="terminal",
        verdicts={AD: "good"},
        until=3.0,
        tolerances=LADDER[1:],
        cured=True,
    ),
    "bifurcation": Case(
        model="snic@eps=0.0001",
        functional="terminal_theta",
        kind="terminal",
        verdicts={AD: "horrible", FULL: "bad"},
        tolerances=(1e-3, 1e-4, 1e-5),
    ),
    "canard": Case(
        model="fitzhugh_nagumo_canard@distance=1e-06",
        functional="terminal_v",
        kind="terminal",
        verdicts={AD: "horrible", FULL: "bad"},
    ),
    "spike_count": Case(
        model="spike_count",
        functional="event_count_spike",
        kind="event_count",
        verdicts={AD: "horrible"},
    ),
    "spike_count_replaced_by_a_spike_time": Case(
        model="spike_count",
        functional="event_time_spike_1",
        kind="event_time",
        verdicts={AD: "good"},
        cured=True,
    ),
    "switched_field": Case(
        model="switch_in_state",
        functional="terminal_y",
        kind="terminal",
        verdicts={AD: "horrible", SALTATION: "good"},
        tolerances=(1e-3, 1e-5, 1e-7),
    ),
    "jumps": Case(
        model="bouncing_ball",
        functional="terminal_h",
        kind="terminal",
        verdicts={AD: "horrible", SALTATION: "good"},
        tolerances=(1e-3, 1e-5, 1e-7),
    ),
    "step_controller": Case(
        model="jagged_controller",
        functional="terminal_x",
        kind="terminal",
        verdicts={"finite_difference": "bad"},
        tolerances=(1e-1, 1e-2, *LADDER),
    ),
    "fast_modes": Case(
        model="fast_modes",
        functional="terminal_x",
        kind="terminal",
        verdicts={AD: "bad", FULL: "good"},
    ),
    # The exact gradient is 0, so that the error that counts is over the natural scale.
    "optimum": Case(
        model="optimum_cancellation",
        functional="trace_sse_exact",
        kind="trace_sse",
        verdicts={AD: "bad", FULL: "bad"},
    ),
    "negative_control": Case(
        model="negative_control", functional="terminal_y", kind="terminal", verdicts={AD: "good"}
    ),
}


@cache
def certified(name: str) -> Reference:
    return gradaudit.reference(name, digits=10.0)


@cache
def stored_reference(name: str) -> xr.Dataset:
    model, result = gradaudit.load_model(name), certified(name)
    return xr.Dataset(
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
            "model_json": describe(model, name),
            "digits": float(result.digits),
            "integral_digits": float(result.integral_digits),
        },
    )


@cache
def stored_gradients(
    name: str, solver: str, methods: tuple[str, ...], tolerances: tuple[float, ...]
) -> xr.Dataset:
    model = gradaudit.load_model(name)
    rows = [
        gradaudit.sensitivities(model, solver=solver, method=method, rtol=rtol)
        for method in methods
        for rtol in tolerances
    ]
    stored = to_dataset(model, rows, methods=list(methods), tolerances=list(tolerances))
    stored["atol"] = ("rtol", [1e-3 * rtol for rtol in tolerances])
    return stored.assign_attrs(solver=solver)


def audited(case: Case) -> pd.DataFrame:
    """One row a (method, tolerance) of the functional of a case."""
    reference = stored_reference(case.model)
    gradients = stored_gradients(
        case.model, case.solver, tuple(case.verdicts), tuple(case.tolerances)
    )
    if case.until is not None:
        reference, gradients = (
            part.sel(time=slice(0.0, case.until)) for part in (reference, gradients)
        )
    settings = {
        "functionals": {**Study().functionals.model_dump(), "kinds": [case.kind]},
        "verdict": Study().verdict.model_dump(),
    }
    table = evaluate(reference, [gradients], settings)
    return table[table["functional"] == case.functional]


def verdicts_of(table: pd.DataFrame) -> dict[str, str]:
    return dict(table.groupby("method")["ladder_verdict"].first())


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_verdict_is_what_the_mechanism_predicts(case):
    table = audited(case)
    assert set(table["status"]) == {"ok"}
    assert verdicts_of(table) == dict(case.verdicts), table[["method", "rtol", "error", "reason"]]


def _own(name: str) -> list[Case]:
    """The cases of a model that show its mechanism."""
    return [
        case for case in CASES.values() if case.model.partition("@")[0] == name and not case.cured
    ]


def _regimes() -> dict[str, set[str]]:
    """What the models of each mechanism say of it."""
    found: dict[str, set[str]] = {}
    for name in library_names():
        model = gradaudit.load_model(name)
        found.setdefault(model.mechanism, set()).add(model.regime)
    return found


@pytest.mark.slow
def test_every_mechanism_of_the_library_is_audited():
    audited_here = {gradaudit.load_model(case.model).mechanism for case in CASES.values()}
    assert audited_here | PRESENTED | COVERED_ELSEWHERE == set(_regimes())
    assert not audited_here & (PRESENTED | COVERED_ELSEWHERE)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({case.model.partition("@")[0] for case in CASES.values()}))
def test_no_regime_is_graded_better_than_the_model_says(name):
    """A horrible mechanism never grades good, nor does a bad one, without its remedy."""
    regime = gradaudit.load_model(name).regime
    own = _own(name)
    assert own
    for case in own:
        method = next(iter(case.verdicts))
        verdict = verdicts_of(audited(case))[method]
        assert (verdict == "good") == (regime == "good"), (name, method, verdict)


def test_at_an_optimum_no_relative_error_exists():
    table = audited(CASES["optimum"])
    assert np.all(np.isinf(table["relative_error"]))
    assert np.all(table["reference_norm"] == 0.0)
    assert set(table["dominant"]) == {"state"}


# Settings other than forward AD in double precision, against the certified reference.


def error_of(name: str, **settings) -> float:
    """The largest error of S, over each parameter's largest sensitivity."""
    computed, exact = gradaudit.sensitivities(name, **settings), certified(name)
    assert computed.status == "ok"
    return _relative(computed.sensitivities, exact.sensitivities)


def _relative(computed, exact) -> float:
    return float(np.max(np.abs(computed - exact) / np.max(np.abs(exact), axis=(0, 1))))


@pytest.mark.slow
def test_dense_output_loses_digits_that_the_method_has():
    """Dopri8 at 1e-10: some seventy times the error, and a slower fall with the tolerance."""
    observed = {
        observe: [
            error_of("dense_output", solver="dopri8", rtol=rtol, observe=observe)
            for rtol in (1e-6, 1e-10)
        ]
        for observe in ("step", "interpolant")
    }
    step, interpolant = observed["step"], observed["interpolant"]
    assert interpolant[1] > 10.0 * step[1]
    assert interpolant[0] / interpolant[1] < 0.3 * step[0] / step[1]


@pytest.mark.slow
def test_error_of_the_tangent_follows_the_root_finder():
    """At one tolerance of the step controller."""
    errors = [
        error_of("newton_truncation", solver="kvaerno5", rtol=1e-5, root_tolerance=root)
        for root in (1e3, 1e1, 1e-1)
    ]
    assert errors[0] > 30.0 * errors[1] > 900.0 * errors[2]


@pytest.mark.slow
def test_single_precision_has_a_floor():
    """From 1e-6 to 1e-8 there are more steps, and no gain."""
    loose, middle, tight = (
        error_of("harmonic_oscillator", rtol=rtol, dtype="float32") for rtol in (1e-3, 1e-6, 1e-8)
    )
    assert loose > 100.0 * middle  # down to there it converges
    assert tight > middle / 3.0
    assert tight > 10.0 * np.finfo(np.float32).eps


@pytest.mark.slow
def test_norm_of_dual_numbers_depends_on_the_units_of_parameters():
    """In SI units, and in units in which every parameter is 1.

    The scale in the norm is that of the parameters. Full control has the same steps in both.
    """
    model, exact = gradaudit.load_model("parameter_units"), certified("parameter_units")
    solve = program(model, StaticOptions(solver="tsit5"))

    def run(dual, scale):
        control = Control(1.0 - dual, dual, float(model.m), scale)
        raw, _, _ = solve(
            exact.times,
            TracedOptions(1e-7, 1e-10),
            control=control,
            columns=np.arange(model.m),
        )
        tangents = raw.tangents[:, : model.n] / model.parameter_scale
        return int(raw.steps), _relative(tangents, exact.sensitivities)

    si, ones = model.parameter_scale, np.ones(model.m)
    assert run(0.0, si) == run(0.0, ones)
    (steps, error), (fewer, larger) = run(1.0, si), run(1.0, ones)
    assert fewer < steps
    assert larger > 2.0 * error


@pytest.mark.slow
def test_finite_differences_are_v_shaped_in_their_step():
    """Rounding on the left, truncation on the right, and the solver's own error between."""
    run = {"method": "finite_difference", "rtol": 1e-7}
    left, best, right = (
        error_of("finite_difference_check", fd_step=step, **run) for step in (1e-12, 1e-6, 1e-1)
    )
    assert left > 100.0 * best
    assert right > 100.0 * best
