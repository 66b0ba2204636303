"""The configuration: one truth in the schema, the defaults and the files that ship with it."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from snakemake.utils import validate

from gradaudit.errors import SettingError
from gradaudit.pipeline import config as configuration
from gradaudit.pipeline.config import Study, choices, settings_of, study_of
from gradaudit.pipeline.config.fields import FIGURES, Section, extra_of
from gradaudit.pipeline.config.schema import schema
from gradaudit.pipeline.config.solving import SolverEntry
from gradaudit.pipeline.generate import generated
from gradaudit.pipeline.names import known

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
DEFAULTS = Study().plain()
SHIPPED = sorted((ROOT / "config").glob("*.yaml"))
STAGES = (
    *("simulate", "gradients", "reference", "evaluate", "experiment", "sweep"),
    *("certificate", "problem", "fit", "fisher", "checkers"),
    *("atlas", "trust", *FIGURES, "report", "track"),
)


def completed(config: dict) -> dict:
    """`config` with the defaults of the schema."""
    config = copy.deepcopy(config)
    validate(config, str(SCHEMA))
    return json.loads(json.dumps(config))


def test_generated_files_are_up_to_date():
    assert [str(path) for path, text in generated(ROOT) if path.read_text() != text] == []


def test_the_schema_and_the_package_have_the_same_defaults():
    assert completed({}) == DEFAULTS


def test_the_full_configuration_spells_out_the_keys_of_the_defaults():
    shipped = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    assert study_of(shipped).plain() == shipped
    assert shipped.keys() == DEFAULTS.keys()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configurations_are_valid(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    config = yaml.safe_load(path.read_text())
    if not config["models"]:  # for a folder that a user names
        with pytest.raises(SettingError, match=r"problems\.folder"):
            configuration.read(config, [path])
    study = study_of(config)
    Draft202012Validator(schema()).validate(yaml.safe_load(path.read_text()))
    assert study.plain() == completed(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    "wrong",
    [
        *({"colour": 1}, {"models": ["a", "a"]}, {"solvers": {"a": {"steps": 0}}}),
        *({"solvers": {}}, {"solvers": {"a": {"pid": [1, 2]}}}, {"tolerances": {"loosest": 1.0}}),
        *({"observe": "often"}, {"figures": {"dpi": 29}}, {"functionals": {"seed": -1}}),
        *({"max_steps": "1e6"}, {"max_steps": 1.5}, {"atol_factor": True}, {"sweep": None}),
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_package_refuses(wrong):
    with pytest.raises(SettingError, match="invalid configuration"):
        study_of(wrong)
    assert list(Draft202012Validator(schema()).iter_errors(wrong))


def test_an_entry_without_settings_is_a_solver_as_it_is():
    study = study_of({"solvers": {"tsit5": None, "dopri8": {}, "kvaerno5": {"dtype": "float32"}}})
    assert choices.plain_solvers(study) == ["tsit5", "dopri8"]
    assert list(Draft202012Validator(schema()).iter_errors({"solvers": {"tsit5": None}})) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_key_is_documented(path):
    text = (ROOT / "config" / "README.md").read_text()
    config = yaml.safe_load(path.read_text())
    entries = config.pop("solvers")  # which may have names of their own
    names = [*config, *(k for part in config.values() if isinstance(part, dict) for k in part)]
    names += [key for entry in entries.values() for key in entry or {}]
    assert [name for name in names if f"`{name}`" not in text] == []


def leaves(section: Section, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], set]]:
    """Every key with the stages that read it, or the section that it is in."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, Section):
            above = set(extra_of(field).get("stages", ()))
            yield from ((at, stages | above) for at, stages in leaves(value, (*place, name)))
        else:
            yield (*place, name), set(extra_of(field).get("stages", ()))


@pytest.mark.parametrize(
    ("place", "stages"),
    [pytest.param(place, stages, id=".".join(place)) for place, stages in leaves(Study())],
)
def test_a_key_changes_the_settings_of_its_readers_alone(place, stages):
    changed = copy.deepcopy(DEFAULTS)
    *sections, name = place
    part = changed
    for section in sections:
        part = part[section]
    part[name] = another(part[name], name)
    study = study_of(changed)
    told = {
        stage
        for stage in STAGES
        if settings_of(stage, study, solver="tsit5", model="liu_neuron")
        != settings_of(stage, Study(), solver="tsit5", model="liu_neuron")
    }
    assert told == stages


def another(value, name):
    """A further valid value of a key."""
    match value:
        case bool():
            return not value
        case str():
            others = {"step": "clip", "interpolant": "clip", "sciml": "diffrax"}
            return others.get(value, "other")
        case list():
            return value[:-1] if len(value) > 1 else ["other"]
        case dict() if name == "solvers":
            return {"tsit5": {"tolerances": {"tightest": 1e-4}}}
        case dict():
            return {key: 2 * number for key, number in value.items()}
        case _ if name == "certified_digits":
            return 12
        case 0:
            return 1
        case _:
            return 2 * value


def test_every_key_is_described():
    for part in (Study(), *(v for _, v in Study() if isinstance(v, Section)), SolverEntry()):
        for name, field in type(part).model_fields.items():
            assert field.description, name


def test_importing_the_configuration_imports_nothing_heavy():
    heavy = ("jax", "diffrax", "heyoka", "pandas", "jsonschema", "matplotlib")
    code = (
        "import sys, gradaudit.pipeline.config as c; c.check_names(c.Study())\n"
        f"sys.exit(str([m for m in {heavy!r} if m in sys.modules] or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() in ("", "[]")


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
    assert settings_of(stage, study_of(changed), solver="tsit5") == settings_of(
        stage, Study(), solver="tsit5"
    )


def test_names_are_read_as_the_package_has_them():
    from gradaudit.sensitivity.api import METHODS
    from gradaudit.solvers.registry import SOLVERS

    assert known("solver") == list(SOLVERS)
    assert known("method") == list(METHODS)


def test_models_are_those_of_the_package():
    from gradaudit.model.loading import library_names, model_path

    files = choices.model_files(study_of({"models": library_names()}))
    assert {key: Path(path).resolve() for key, path in files.items()} == {
        name: model_path(name).resolve() for name in library_names()
    }
