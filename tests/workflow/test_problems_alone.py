"""A study of estimation problems without any model: it ends, and then there is nothing to do."""

from __future__ import annotations

import pytest

from gradaudit.records.files import read_table
from problem.conftest import writer

STUDY = {
    "results": "alone",
    "models": [],
    "tolerances": {"loosest": 1e-3, "tightest": 1e-6, "per_decade": 1},
    "problems": {
        "folder": "problems",
        "solvers": ["tsit5"],
        "methods": ["forward_ad"],
        "tools": ["ordinarydiffeq_tsit5"],
        "drawn": 1,
        "fits": ["decaying"],
        "starts": 1,
        "checked": ["all"],
    },
    "experiment": {"models": []},
    "sweep": {"models": []},
    "figures": {"dpi": 40},
}


@pytest.fixture(scope="module")
def done(workspace):
    """A folder with a problem, and another one that cannot be read."""
    for name in ("decaying", "torn"):
        (workspace.folder / "problems" / name).mkdir(parents=True)
        writer(workspace.folder / "problems" / name)()
    (workspace.folder / "problems" / "torn" / "measurements.tsv").unlink()
    result = workspace.snakemake(config=STUDY)
    assert result.code == 0, result.output
    return workspace


@pytest.mark.slow
def test_everything_is_written_and_then_rests(done):
    results = done.folder / "alone"
    table = read_table(results / "problem" / "decaying.parquet")
    assert set(table["point"]) == {"nominal", "drawn 1"}
    assert set(table["status"]) == {"ok"}
    page = (results / "report" / "report.html").read_text()
    for place in ("problems", "checkers", "fits", "fisher"):
        assert f'<section id="{place}">' in page
    assert "torn" in page
    assert "measurements.tsv" in page
    assert (results / "certified" / "decaying.json").is_file()
    assert (results / "figures" / "published_problems.png").stat().st_size > 5000
    assert done.dry(config=STUDY) == {}
