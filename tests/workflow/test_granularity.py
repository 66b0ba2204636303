"""What runs again after a change, and what does not.

A dry run that has no jobs shows nothing unless the same dry run, forced, has some.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from gradaudit.pipeline.config import Study

EVERYTHING = {
    **{"simulate": 2, "gradients": 2, "reference": 2, "experiment": 1},
    **{"evaluate": 2, "atlas": 1, "trust": 1, "figures_model": 2, "figures_experiment": 1},
    **{"figures_atlas": 1, "figures_trust": 1, "report": 1, "track": 1},
}


def jobs(*rules: str) -> dict[str, int]:
    """All the jobs of some rules."""
    return {rule: EVERYTHING[rule] for rule in rules}


TOGETHER = jobs("figures_atlas", "figures_trust", "report", "track")
EVALUATED = {**jobs("evaluate", "atlas", "trust", "figures_model"), **TOGETHER}
FIGURES = {**jobs("figures_model", "figures_experiment"), **TOGETHER}
SOLVED = {**jobs("simulate", "gradients"), **EVALUATED}
PUBLISHED = jobs("experiment", "figures_experiment", "report", "track")


def with_values(config: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The configuration with keys put on top; ``figures__palette`` is a key of ``figures``."""
    for name, value in changes.items():
        *sections, key = name.split("__")
        part = config
        for section in sections:
            part = part.setdefault(section, {})
        part[key] = value
    return config


def reordered(value: Any) -> Any:
    """Equal, with the keys of all mappings in the opposite order."""
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return value


@pytest.mark.slow
def test_a_forced_run_has_every_job(completed):
    assert completed.dry("--forceall") == EVERYTHING


def test_the_order_of_keys_changes_nothing(completed, config):
    changed = reordered(config)
    assert list(changed) != list(config)
    assert completed.dry(config=changed) == {}
    assert completed.dry("--forceall", config=changed) == EVERYTHING


@pytest.mark.slow
def test_a_new_time_stamp_changes_nothing(completed):
    for name in ("models/decay.py", "src/gradaudit/evaluation/verdict.py"):
        os.utime(completed.folder / name)
    assert completed.dry() == {}
    assert completed.dry("--forceall") == EVERYTHING


@pytest.mark.slow
def test_defaults_that_are_spelt_out_change_nothing(completed, config):
    changed = with_values(config, atol_factor=1e-3, verdict={"good": 0.01}, max_steps=500_000)
    assert completed.dry(config=changed) == {}
    assert completed.dry("--forceall", config=changed) == EVERYTHING


@pytest.mark.sampled(12)
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"report__title": "Another"}, jobs("report")),
        ({"tracking__experiment": "another"}, jobs("track")),
        ({"figures__palette": "deep"}, FIGURES),
        ({"atlas__accuracies": [1e-3]}, {**jobs("atlas", "trust"), **TOGETHER}),
        ({"verdict__good": 2e-2}, {**EVALUATED, **FIGURES}),
        ({"functionals__seed": 2}, EVALUATED),
        ({"reference__digits": 9}, {**jobs("reference"), **EVALUATED}),
        ({"methods": ["forward_ad"]}, {**jobs("gradients"), **EVALUATED}),
        ({"tolerances__tightest": 1e-6}, SOLVED),
        ({"experiment__tolerances": [1e-4]}, PUBLISHED),
        (
            {"experiment__published_norms": {"decay": 1.0}},
            jobs("figures_experiment", "report", "track"),
        ),
        ({"results": "elsewhere"}, EVERYTHING),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_change_runs_what_reads_it(completed, config, changes, expected):
    assert completed.dry(config=with_values(config, **changes)) == expected


def test_an_edited_model_runs_alone(completed):
    with completed.edited("models/decay.py", old="0.7", new="0.8"):
        assert completed.dry() == dict.fromkeys(EVERYTHING, 1)
    with completed.edited("src/gradaudit/library/logistic.py", new="\n# edited\n"):
        others = {"experiment", "figures_experiment"}
        assert completed.dry() == dict.fromkeys(EVERYTHING.keys() - others, 1)


@pytest.mark.slow
def test_a_model_that_was_replaced_by_one_of_an_older_time_runs_again(completed):
    path = completed.folder / "models" / "decay.py"
    with completed.edited("models/decay.py", old="0.7", new="0.8"):
        os.utime(path, (1e9, 1e9))
        assert completed.dry() == dict.fromkeys(EVERYTHING, 1)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("evaluation/verdict.py", EVALUATED),
        (
            "sensitivity/methods/forward_ad.py",
            {**jobs("gradients", "experiment", "figures_experiment"), **EVALUATED},
        ),
        ("solvers/catalogue/tsit5.py", {**SOLVED, **PUBLISHED}),
        ("stages/reference.py", {**jobs("reference"), **EVALUATED}),
        ("stages/report.py", jobs("report")),
        ("stages/track.py", jobs("track")),
        ("records/files.py", EVERYTHING),
        ("cli/main.py", {}),
    ],
)
def test_an_edited_module_runs_what_imports_it(completed, module, expected):
    with completed.edited(f"src/gradaudit/{module}", new="\n# edited\n"):
        assert completed.dry() == expected


def test_an_edited_functional_solves_nothing(completed):
    with completed.edited("src/gradaudit/evaluation/functionals/terminal.py", new="\n# edited\n"):
        found = completed.dry()
    assert found["evaluate"] == EVERYTHING["evaluate"]
    assert not found.keys() & {"simulate", "gradients", "reference"}


@pytest.mark.slow
def test_a_further_kind_of_functional_solves_nothing(completed, config):
    """Nor does one less; forced, the same dry run has every job."""
    kinds = Study().functionals.kinds
    for changed in ([*kinds, "solver_target"], kinds[:-1]):
        with_values(config, functionals__kinds=changed)
        found = completed.dry(config=config)
        assert found == EVALUATED
        assert not found.keys() & {"simulate", "gradients", "reference", "experiment"}
        assert completed.dry("--forceall", config=config) == EVERYTHING


def test_an_edited_list_of_functionals_solves_nothing(completed):
    """Where a module for a further kind is entered."""
    with completed.edited("src/gradaudit/evaluation/functionals/__init__.py", new="\n# edited\n"):
        found = completed.dry()
    assert found["evaluate"] == EVERYTHING["evaluate"]
    assert not found.keys() & {"simulate", "gradients", "reference"}


@pytest.mark.slow
def test_a_sweep_is_a_job_of_its_own(completed, config):
    """With its figure, and what shows it; forced, beside all the others."""
    with_values(config, sweep__models=["models/decay.py"])
    own = {"sweep": 1, "figures_sweep": 1}
    assert completed.dry(config=config) == {**own, **jobs("report", "track")}
    assert completed.dry("--forceall", config=config) == {**EVERYTHING, **own}


@pytest.mark.slow
def test_a_further_solver_leaves_the_others_alone(completed, config):
    config["solvers"]["dopri8"] = {}
    assert completed.dry(config=config) == SOLVED


@pytest.mark.slow
def test_tolerances_of_one_solver_are_its_own(completed, config):
    config["solvers"]["tsit5"] = {"tolerances": {"tightest": 1e-4}}
    assert completed.dry(config=config) == SOLVED
    config["solvers"]["tsit5"] = {"tolerances": {"tightest": 1e-5}}
    assert completed.dry(config=config) == {}


@pytest.mark.slow
def test_a_model_less_solves_nothing(completed, config):
    config["models"] = ["logistic"]
    assert completed.dry(config=config) == {**jobs("atlas", "trust"), **TOGETHER}
