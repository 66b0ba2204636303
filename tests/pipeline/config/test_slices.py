"""What a stage is given of the configuration."""

import json

from gradaudit.pipeline.config.reading import study_of
from gradaudit.pipeline.config.slices import settings_of

STUDY = study_of(
    {
        "results": "out",
        "solvers": {
            "tsit5": {},
            "mine": {"solver": "tsit5", "observe": "clip", "tolerances": {"tightest": 1.0e-4}},
        },
        "methods": ["forward_ad"],
        "tolerances": {"loosest": 1.0e-3, "tightest": 1.0e-5, "per_decade": 1},
        "experiment": {"published_norms": {"a": 2.0, "b": 3.5}},
    }
)


def settings(stage, **job):
    return json.loads(settings_of(stage, STUDY, **job))


def test_a_simulation_has_the_tolerances_of_its_solver():
    assert settings("simulate", solver="tsit5") == {
        "atol_factor": 0.001,
        "max_steps": 500_000,
        "solve_s": 900,
        "tolerances": [1e-3, 1e-4, 1e-5],
    }
    assert settings("simulate", solver="mine")["tolerances"] == [1e-3, 1e-4]


def test_gradients_have_what_the_entry_changes_and_nothing_else():
    plain, changed = settings("gradients", solver="tsit5"), settings("gradients", solver="mine")
    assert "variant" not in plain
    assert changed["variant"] == {"solver": "tsit5", "observe": "clip"}
    assert changed.keys() - plain.keys() == {"variant"}


def test_methods_of_an_entry_replace_those_of_all():
    study = study_of({"solvers": {"tsit5": {"methods": ["dual_norm"]}}})
    assert json.loads(settings_of("gradients", study, solver="tsit5"))["methods"] == ["dual_norm"]


def test_the_figure_of_an_experiment_has_the_published_norm_of_its_model():
    assert settings("figures_experiment", model="b")["published_norm"] == 3.5
    assert settings("figures_experiment", model="c")["published_norm"] is None
    assert "published_norms" not in settings("figures_experiment", model="b")


def test_tracking_has_its_store_below_the_results():
    found = settings("track")
    assert found["store"] == "out/mlflow"
    assert "results" not in found


def test_whole_numbers_are_the_same_text_however_they_are_written():
    """YAML has 1 and 1.0, and neither may run a stage again."""
    one, other = study_of({"verdict": {"good": 1}}), study_of({"verdict": {"good": 1.0}})
    assert settings_of("trust", one) == settings_of("trust", other)
    assert settings_of("trust", one) == '{"good":1}'


def test_a_stage_does_not_see_what_others_read():
    found = settings("trust")
    assert found == {"good": 0.01}
