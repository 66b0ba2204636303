"""Fits of an estimation problem as a job of the workflow, with a closed form."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from gradaudit.pipeline.config import settings_of, study_of
from gradaudit.pipeline.config.naming import check_names
from gradaudit.records.files import read_provenance, read_table
from gradaudit.stages import fit
from problem.conftest import write  # noqa: F401  # the fixture


@pytest.fixture
def study(write):  # noqa: F811
    path = write()
    found = study_of(
        {
            "models": ["logistic"],
            "problems": {"solvers": ["tsit5"], "fits": [str(path)], "starts": 2, "seed": 3},
        }
    )
    check_names(found)
    return path, found


def test_rows_have_the_maximum_of_the_closed_form(study, tmp_path):
    path, found = study
    settings = json.loads(settings_of("fit", found, model=path.parent.name))
    assert {"starts", "spread", "seed", "iterations", "fit_s"} <= settings.keys()
    output, told = tmp_path / "out.parquet", []
    fit.run(
        model=str(path),
        settings=settings,
        output=output,
        report=lambda done, text: told.append(done),
    )
    table = read_table(output)
    assert len(table) == 2 * 4
    assert set(table["status"]) == {"ok"}
    assert set(table["elsewhere"]) == {False}
    assert list(table["parameters"].iloc[0]) == ["k"]
    ends = np.stack(table["end_point"])[:, 0]
    # the tolerance 1e-3 moves an end by about as much
    np.testing.assert_allclose(ends, math.log10(math.log(2.0) / 2.0), atol=1e-2)
    assert told[-1] == 1.0
    assert read_provenance(output)["stage"] == "fit"
    assert read_provenance(output)["model"] == path.parent.name
