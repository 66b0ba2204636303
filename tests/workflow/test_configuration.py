"""The configuration: one truth in the schema, the defaults and the files that ship with it."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from snakemake.utils import validate

from gradaudit.errors import SettingError
from gradaudit.pipeline import configuration
from gradaudit.pipeline.defaults import DEFAULTS
from gradaudit.records.code_digest import literal_keys

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
SHIPPED = sorted((ROOT / "config").glob("*.yaml"))
STAGES = (
    *("simulate", "gradients", "reference", "evaluate", "experiment", "sweep"),
    *("atlas", "figures", "figures_experiment", "report", "track"),
)


def completed(config: dict) -> dict:
    """`config` with the defaults of the schema."""
    config = copy.deepcopy(config)
    validate(config, str(SCHEMA))
    return json.loads(json.dumps(config))


def test_the_schema_and_the_package_have_the_same_defaults():
    assert completed({}) == DEFAULTS


def test_the_full_configuration_spells_out_the_keys_of_the_defaults():
    shipped = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    assert completed(shipped) == shipped
    assert shipped.keys() == DEFAULTS.keys()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configurations_hold(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    config = yaml.safe_load(path.read_text())
    configuration.check_schema(config, yaml.safe_load(SCHEMA.read_text()))
    configuration.check_names(completed(config))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_key_is_documented(path):
    text = (ROOT / "config" / "README.md").read_text()
    config = yaml.safe_load(path.read_text())
    entries = config.pop("solvers")  # which may have names of their own
    names = [*config, *(k for part in config.values() if isinstance(part, dict) for k in part)]
    names += [key for entry in entries.values() for key in entry or {}]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_everything_in_the_schema_is_described():
    schema = yaml.safe_load(SCHEMA.read_text())
    for name, entry in schema["properties"].items():
        assert entry.get("description"), name
        for key, part in entry.get("properties", {}).items():
            assert part.get("description") or "$ref" in part, f"{name}.{key}"


@given(st.integers(2, 5), st.integers(0, 10), st.integers(1, 4))
def test_a_ladder_falls_from_the_loosest_to_the_tightest(first, decades, per_decade):
    loosest, tightest = 10.0**-first, 10.0 ** -(first + decades)
    ladder = configuration.ladder(loosest=loosest, tightest=tightest, per_decade=per_decade)
    assert len(ladder) == decades * per_decade + 1
    assert ladder[0] == pytest.approx(loosest)
    assert ladder[-1] == pytest.approx(tightest)
    assert ladder == sorted(ladder, reverse=True)


def test_tolerances_are_the_numbers_that_one_writes():
    ladder = configuration.ladder(loosest=1e-3, tightest=1e-12, per_decade=1)
    assert ladder == [float(f"1e-{k}") for k in range(3, 13)]


@pytest.mark.parametrize(
    "numbers", [(1e-6, 1e-3, 1), (1e-3, 0.0, 1), (2.0, 1e-3, 1), (1e-3, 1e-6, 0)]
)
def test_a_ladder_without_rungs_is_refused(numbers):
    loosest, tightest, per_decade = numbers
    with pytest.raises(SettingError):
        configuration.ladder(loosest=loosest, tightest=tightest, per_decade=per_decade)


@pytest.mark.parametrize("stage", STAGES)
def test_settings_do_not_depend_on_the_order_or_the_kind_of_numbers(stage):
    changed = json.loads(json.dumps(dict(reversed(DEFAULTS.items()))))
    changed["reference"]["digits"] = float(changed["reference"]["digits"])
    assert configuration.settings_of(stage, changed, solver="tsit5") == configuration.settings_of(
        stage, DEFAULTS, solver="tsit5"
    )


def test_names_are_read_as_the_package_has_them():
    from gradaudit.sensitivity.api import METHODS
    from gradaudit.solvers.registry import SOLVERS

    assert literal_keys("solvers.registry", "SOLVERS") == list(SOLVERS)
    assert literal_keys("sensitivity.api", "METHODS") == list(METHODS)


def test_models_are_those_of_the_package():
    from gradaudit.model.loading import library_names, model_path

    files = configuration.model_files({**DEFAULTS, "models": library_names()})
    assert {key: Path(path).resolve() for key, path in files.items()} == {
        name: model_path(name).resolve() for name in library_names()
    }
