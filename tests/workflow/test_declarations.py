"""A stage, a figure or a table is one file: what it declares is all that the workflow needs."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from importlib import import_module

import pytest

from gradaudit.cli import main as cli
from gradaudit.errors import SettingError
from gradaudit.pipeline.config import Study
from gradaudit.pipeline.config.fields import Section, extra_of
from gradaudit.pipeline.flow import sources_of, stages
from gradaudit.records.code_digest import PACKAGE, stage_names
from gradaudit.records.declarations import read_declaration
from gradaudit.records.figure import Drawing, drawings
from gradaudit.records.files import write_table
from gradaudit.records.stage import Output, Stage
from gradaudit.records.table import tables

FIGURE = '''
"""Errors by model."""

from matplotlib.figure import Figure

from gradaudit.records.figure import Drawing

FIGURE = Drawing(
    of="atlas",
    tables=("atlas.audits", "atlas.spread"),
    label="errors",
    category="Atlas",
    caption="Errors by model.",
)


def new_figure(audits, spread, *, settings):
    figure = Figure()
    figure.subplots().plot(audits["error"].to_numpy())
    return figure
'''
TABLE = '''
"""Spread of errors."""

import pandas as pd

from gradaudit.records.table import Table

TABLE = Table(name="spread", about="spread of errors by model", function="spread")


def spread(audits: pd.DataFrame) -> pd.DataFrame:
    return audits.groupby("model", as_index=False)["error"].std()
'''


@pytest.fixture
def extended(workspace):
    """The workspace with one more table and one more figure; they are gone afterwards."""
    package = workspace.folder / "src" / "gradaudit"
    files = {package / "analysis/spread.py": TABLE, package / "figures/new_figure.py": FIGURE}
    for path, text in files.items():
        path.write_text(text)
    yield workspace
    for path in files:
        path.unlink()


@pytest.mark.slow
def test_a_new_file_is_a_new_table_and_a_new_figure_in_the_plan(extended):
    planned = extended.snakemake("--dry-run", "--forcerun", "figures_atlas")
    assert planned.code == 0, planned.output
    outputs = [line for line in planned.output.splitlines() if line.startswith("    output:")]
    assert any("results/atlas/spread.parquet" in line for line in outputs)
    assert any("results/figures/new_figure.png" in line for line in outputs)
    # The report and the store get the figure, too.
    assert planned.output.count("results/figures/new_figure.png") >= 3


@pytest.mark.slow
def test_a_new_file_is_a_new_table_and_a_new_figure_of_the_commands(
    extended, made_up_audits, tmp_path
):
    write_table(made_up_audits(), tmp_path / "rows.parquet", stage="evaluate", settings={})
    environment = {**os.environ, "PYTHONPATH": str(extended.folder / "src")}

    def gradaudit(*arguments: str, settings: str) -> None:
        command = [sys.executable, "-m", "gradaudit", *arguments, "--settings", settings]
        subprocess.run(command, check=True, env=environment, cwd=tmp_path)

    names = [*stages()["atlas"].outputs, "spread"]
    files = [part for name in names for part in (f"--{name}", f"{name}.parquet")]
    gradaudit("atlas", "--tables", "rows.parquet", *files, settings='{"accuracies": [0.01]}')
    names = [*stages()["figures_atlas"].inputs, "spread"]
    files = [part for name in names for part in (f"--{name}", f"{name}.parquet")]
    settings = '{"palette": "colorblind", "dpi": 30, "good": 0.01, "horrible": 0.5}'
    gradaudit("figures", "atlas", *files, "--output-dir", ".", settings=settings)
    assert (tmp_path / "spread.parquet").is_file()
    assert (tmp_path / "new_figure.png").is_file()


def test_every_stage_declares_itself_and_is_called_as_it_declares():
    declared = {name.partition("_")[0] for name in stages()}
    assert declared == set(stage_names())
    for name, stage in stages().items():
        module = ast.parse((PACKAGE / "stages" / f"{name.partition('_')[0]}.py").read_text())
        run = next(n for n in module.body if isinstance(n, ast.FunctionDef) and n.name == "run")
        known = {a.arg for a in (*run.args.args, *run.args.kwonlyargs)}
        given = {*stage.inputs, *stage.params, "settings"}
        given |= {"output_dir"} if name.startswith("figures_") else set(stage.outputs)
        given |= {"model"} if stage.process == "solving" else set()
        given |= {"solver"} if "solver" in stage.each else set()
        optional = {"kind", "report"}  # of a process of an audit, which has no log
        assert given == known - optional or run.args.kwarg, name


def test_every_input_is_an_output_of_a_stage_that_comes_before():
    order = list(stages())
    for name, stage in stages().items():
        for reference in stage.inputs.values():
            for source, _, _ in sources_of(reference):
                assert order.index(source) < order.index(name)


def test_no_two_stages_write_one_file():
    paths = [made.path for stage in stages().values() for made in stage.outputs.values()]
    assert len(paths) == len(set(paths))


def test_keys_are_read_by_stages_that_exist():
    def readers(section: Section) -> set[str]:
        fields = type(section).model_fields
        own = {stage for field in fields.values() for stage in extra_of(field).get("stages", ())}
        parts = [value for _, value in section if isinstance(value, Section)]
        return own.union(*map(readers, parts))

    assert readers(Study()) <= set(stages())


@pytest.mark.parametrize("name", list(drawings()))
def test_a_figure_takes_what_it_declares(name):
    module, drawing = drawings()[name]
    parameters = inspect.signature(getattr(import_module(module), name)).parameters
    assert len(parameters) == len(drawing.tables) + len(drawing.facts) + 1
    assert {*drawing.facts, "settings"} <= parameters.keys()
    for reference in drawing.tables:
        assert sources_of(reference)


@pytest.mark.parametrize("name", list(tables()))
def test_a_table_takes_what_it_declares(name):
    module, table = tables()[name]
    parameters = inspect.signature(getattr(import_module(module), table.function)).parameters
    assert len(parameters) == 1 + len(table.settings)


def test_a_declaration_that_is_computed_is_refused_with_its_line(tmp_path):
    path = tmp_path / "figure.py"
    path.write_text('NAME = "atlas"\nFIGURE = Drawing(of=NAME, tables=())\n')
    with pytest.raises(SettingError, match=r"figure\.py:2: FIGURE cannot be read"):
        read_declaration(path, "FIGURE", {"Drawing": Drawing})
    path.write_text('STAGE = Stage(about="x", outputs={"output": Output("a/b.nc", "file")})\n')
    found = read_declaration(path, "STAGE", {"Stage": Stage, "Output": Output})
    assert found == Stage(about="x", outputs={"output": Output("a/b.nc", "file")})


def test_a_kind_of_figures_has_a_command(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["figures", "--help"])
    text = capsys.readouterr().out
    assert all(kind in text for kind in ("model", "experiment", "sweep", "atlas", "trust"))
