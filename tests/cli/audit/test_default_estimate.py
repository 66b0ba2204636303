"""The estimate is that of the default setting, whichever solver carried one along."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from cli.audit.test_card import rows
from gradaudit.cli import main as cli
from gradaudit.cli.audit.default_estimate import first_look, missing_estimate, with_estimates
from gradaudit.cli.audit.run import configure

STIFF = """\
import jax.numpy as jnp
from gradaudit import Model


def f(t, y, p):
    return -3e3 * (y - p[0] * jnp.cos(t))


MODEL = Model(name='stiff', vector_field=f, states={'y': (1.0, 'mM')},
              parameters={'k': (1.0, '1/s')}, t_end=2.0, observations=11)
"""


def test_it_is_missing_where_another_solver_has_one():
    own = rows("forward_ad", [1e-3, 1e-5, 1e-7], estimated_error=math.nan)
    other = rows("forward_ad", [1e-3, 1e-5, 1e-7], solver="dopri8", work=100.0)
    found = missing_estimate(pd.concat([own, other], ignore_index=True))
    assert found is not None
    assert (found["solver"], found["rtol"]) == ("tsit5", 1e-6)


@pytest.mark.parametrize(
    "table",
    [
        rows("forward_ad", [1e-3, 1e-5, 1e-7]),  # it has one
        rows("forward_ad", [math.nan] * 3, estimated_error=math.nan),  # there is no gradient
        rows("saltation", [1e-5] * 3, estimated_error=math.nan).assign(method="finite_difference"),
        pd.DataFrame(),
    ],
)
def test_otherwise_nothing_is_solved_again(table):
    assert missing_estimate(table) is None


def test_estimates_are_put_beside_the_solves_of_their_solver(tmp_path):
    def made(solver: str, rtols: list[float], **more: list[float]) -> xr.Dataset:
        values = {name: (("method", "rtol"), np.array([own])) for name, own in more.items()}
        found = xr.Dataset(values, {"method": ["forward_ad"], "rtol": rtols})
        return found.assign_attrs(solver=solver)

    solves = [made("tsit5", [1e-3, 1e-6], steps=[5.0, 9.0]), made("dopri8", [1e-3], steps=[3.0])]
    made("tsit5", [1e-6], steps=[8.0], estimated_error=[0.1]).to_netcdf(
        tmp_path / "estimate_of_tsit5.nc", engine="h5netcdf"
    )
    made("kvaerno5", [1e-6], steps=[8.0], estimated_error=[0.2]).to_netcdf(
        tmp_path / "estimate_of_kvaerno5.nc", engine="h5netcdf"
    )
    first, second, third = with_estimates(solves, tmp_path)
    assert first["steps"].values.tolist() == [[5.0, 9.0]]
    np.testing.assert_array_equal(first["estimated_error"], [[math.nan, 0.1]])
    assert first.attrs["solver"] == "tsit5"
    assert "estimated_error" not in second
    np.testing.assert_array_equal(third["estimated_error"], [[0.2]])  # its solver has not ended


def looked_at(folder: Path, **settings: Any) -> list[dict[str, Any]]:
    ladder = {"loosest": 1e-3, "tightest": 1e-8, "per_decade": 1}
    chosen = {"solvers": None, "methods": ["dual_norm", "forward_ad"], "tolerances": ladder}
    study = configure(**(chosen | settings))
    jobs = first_look(model="logistic", study=study, folder=folder, cache=None)
    return [{"solver": job.arguments["solver"], **job.arguments["settings"]} for job in jobs]


def test_the_first_look_is_at_the_default_setting(tmp_path):
    (look,) = looked_at(tmp_path)
    assert (look["solver"], look["methods"], look["tolerances"]) == (
        "tsit5",
        ["forward_ad"],
        [1e-6],
    )


def test_there_is_none_of_what_has_no_estimate_or_is_quick(tmp_path):
    assert looked_at(tmp_path, methods=["finite_difference"]) == []
    one = {"loosest": 1e-6, "tightest": 1e-6, "per_decade": 1}
    assert looked_at(tmp_path, methods=["forward_ad"], tolerances=one) == []


@pytest.mark.slow
def test_the_card_of_a_stiff_model_has_the_estimate_of_the_implicit_solver(tmp_path, capfd):
    path = tmp_path / "stiff.py"
    path.write_text(STIFF)
    arguments = ["--methods", "forward_ad", "--tightest", "1e-6", "--json"]
    assert cli.main(["audit", str(path), "--solvers", "tsit5", "kvaerno5", *arguments]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["today"]["solver"] == "kvaerno5"
    estimate = document["today"]["estimate"]
    assert estimate["low"] <= estimate["error"] <= estimate["high"]
    assert "estimated without the reference" in document["card"]["estimate"]
