"""Made-up results in the format of the stages, for what is drawn and told from them."""

from __future__ import annotations

import gc
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jaxtyping
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from xdist.scheduler import LoadScopeScheduling

from run_time_types import CHECKED

# Before any test imports the package; what runs in a process of its own is not checked.
jaxtyping.install_import_hook(CHECKED, "beartype.beartype")


gc.set_threshold(50_000, *gc.get_threshold()[1:])  # as the command does
os.environ["GRADAUDIT_CACHE"] = ""  # an audit of a test leaves nothing in the user's folder


LONGEST = ("tests/workflow", "tests/problem/test_suite", "tests/reports")
"""They begin, so that no process is left alone with one of them at the end."""


class Together(LoadScopeScheduling):
    """Sends what a file sets up to one process, and all that the tests of the workflow share."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "tests/workflow" if file.startswith("tests/workflow") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """How tests are shared among processes."""
    return Together(config, log)


@pytest.hookimpl(tryfirst=True)  # before cases are chosen by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Which tests are quick, and which ones begin.

    Of the cases of a test that is ``sampled(n)`` every n-th is quick, the others are slow.
    """
    seen: Counter[str] = Counter()
    for item in items:
        sampled = item.get_closest_marker("sampled")
        if sampled is not None:
            test = item.nodeid.partition("[")[0]
            if seen[test] % sampled.args[0]:
                item.add_marker(pytest.mark.slow)
            seen[test] += 1
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="module", autouse=True)
def _compiled_for_the_result(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where only quick tests run, programs are compiled in two thirds of the time, and run slower.

    Not those of the contracts, which are compiled as for a user; so are the slow tests.
    """
    if "not slow" not in request.config.getoption("markexpr") or "contract" in request.path.parts:
        yield
        return
    from gradaudit.backend.jax_setup import to_run_once

    with to_run_once():
        yield


FUNCTIONALS = {
    "terminal_V": "terminal",
    "trace_sse_exact": "trace_sse",
    "time_average_V": "time_average",
}
ORDERS = {"forward_ad": 1.2, "forward_sensitivity": 1.0, "dual_norm": 1.1}
MODEL = {
    "key": "made_up",
    "name": "made up",
    "states": {"V": "mV", "n": "1"},
    "parameters": {"g": [1.0, "mS"], "E": [-60.0, "mV"]},
    "parameter_scale": [1.0, 60.0],
    "t_end": 10.0,
    "time_unit": "ms",
    "observables": ["V"],
    "integrals": ["V"],
    "mechanism": "made up",
    "regime": "bad",
    "description": "A model that was made up for a test.",
    "citation": "Nobody (1900)",
}


def _row(
    model: str, solver: str, method: str, rtol: float, functional: str, error: float, failed: bool
) -> dict[str, Any]:
    error = float("nan") if failed else error
    good, horrible = error <= 1e-2, not error <= 0.5
    return {
        "model": model,
        "mechanism": f"mechanism of {model}",
        "regime": "bad",
        "solver": solver,
        "method": method,
        "rtol": rtol,
        "atol": 1e-3 * rtol,
        "functional": functional,
        "kind": FUNCTIONALS.get(functional, "special"),
        "status": "max_steps" if failed else "ok",
        "error": error,
        "state_part": 0.0 if functional.startswith("terminal") else 0.7 * error,
        "tangent_part": 0.3 * error,
        "observation_part": 0.0,
        "dominant": "" if failed else "state",
        "indicator": float("nan") if failed else 2.0 * error / rtol,
        "work": 1e3 * rtol**-0.2,
        "seconds": 1e-3 * rtol**-0.2,
        "compile_seconds": 1.5 if rtol == 1e-3 else 0.0,
        "steps": 100.0 * rtol**-0.2,
        "order": ORDERS.get(method, 1.0),
        "converging": True,
        "verdict": "good" if good else "horrible" if horrible else "bad",
        "reason": "" if good else "not_finite" if failed else "error",
    }


@pytest.fixture
def made_up_audits() -> Callable[..., pd.DataFrame]:
    """Rows of stage evaluate; errors by (model, method), the failed ones by (solver, rtol)."""

    def make(
        *,
        models: Sequence[str] = ("made_up",),
        solvers: Sequence[str] = ("dopri8", "tsit5"),
        methods: Sequence[str] = tuple(ORDERS),
        functionals: Sequence[str] = tuple(FUNCTIONALS),
        tolerances: Sequence[float] = (1e-3, 1e-5, 1e-7, 1e-9),
        errors: Mapping[tuple[str, str], float] | None = None,
        failed: Sequence[tuple[str, float]] = (),
    ) -> pd.DataFrame:
        rows = [
            _row(
                model,
                solver,
                method,
                rtol,
                functional,
                (errors or {}).get((model, method), 3.0 * rtol ** ORDERS.get(method, 1.0)),
                (solver, rtol) in failed,
            )
            for model in models
            for solver in solvers
            for method in methods
            for rtol in tolerances
            for functional in functionals
        ]
        table = pd.DataFrame(rows)
        ladder = table.groupby(["model", "solver", "method", "functional"])["verdict"]
        words = ladder.transform(lambda v: v.iloc[0] if v.nunique() == 1 else "bad")
        good = table["rtol"].where(table["error"] <= 1e-2)
        names = [table[k] for k in ("model", "solver", "method", "functional")]
        needed = good.groupby(names).transform("max")
        plain = {"base_solver": table["solver"], "variant": ""}
        return table.assign(ladder_verdict=words, sufficient_rtol=needed, spikes=0, **plain)

    return make


@pytest.fixture
def made_up_experiment() -> Callable[..., pd.DataFrame]:
    """The table of stage experiment; `changes` are columns of the variant dual_norm."""

    def make(*, tolerances: Sequence[float] = (1e-3, 1e-6), **changes: float) -> pd.DataFrame:
        sizes = {"dual_norm": 1e9, "same_grid": 1e5, "full_control": 4e8, "coarse_target": 5e8}
        rows = [
            {
                "model": "made_up",
                "variant": variant,
                "rtol": rtol,
                "atol": 1e-3 * rtol,
                "status": "ok",
                "gradient_norm": 5e5 if variant == "coarse_target" else size * rtol,
                "reference_norm": 5e5 if variant == "coarse_target" else 0.0,
                "error_norm": size * rtol,
                "state_part": 0.9 * size * rtol,
                "tangent_part": 0.1 * size * rtol,
                "residual_max": 1e-6 if variant == "same_grid" else 0.8,
                "residual_of": "V",
                "residual_unit": "mV",
                "tangent_error": 0.35 if variant == "same_grid" else 0.03,
                "points": 100,
                "steps": 200.0,
                "seconds": 0.1,
            }
            | (changes if variant == "dual_norm" else {})
            for rtol in tolerances
            for variant, size in sizes.items()
        ]
        return pd.DataFrame(rows)

    return make


@pytest.fixture
def made_up_traces() -> xr.Dataset:
    """The traces of stage experiment."""
    time = np.linspace(0.0, 10.0, 100)
    variants = ["dual_norm", "same_grid", "full_control", "coarse_target"]
    return xr.Dataset(
        {
            "certified": ("time", np.sin(time)),
            "nominal": ("time", np.sin(time) + 1e-3),
            "amplification": ("time", 1e4 * time),
            "residual": (("variant", "time"), np.outer([1.0, 1e-6, 0.7, 0.7], np.cos(time))),
        },
        coords={"time": time, "variant": variants},
        attrs={"model_json": json.dumps(MODEL), "settings": '{"solver":"tsit5"}'},
    )


@pytest.fixture
def made_up_reference() -> xr.Dataset:
    """What the later stages read of a reference: its attributes."""
    rungs = [
        {"precision": "double", "tolerance": 1e-16, "build_seconds": 0.5, "run_seconds": 1.0},
        {"precision": "long double", "tolerance": 1e-20, "build_seconds": 0.5, "run_seconds": 2.0},
    ]
    attributes = {"digits": 13.1, "integral_digits": 12.9, "status": "ok"}
    return xr.Dataset(
        attrs=attributes | {"model_json": json.dumps(MODEL), "rungs_json": json.dumps(rungs)}
    )
