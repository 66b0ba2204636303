"""An invalid configuration: what is wrong, where, and what to write, and no traceback."""

from __future__ import annotations

import pytest
import yaml

from gradaudit.pipeline.start import main as start


def message(workspace, config) -> str:
    result = workspace.snakemake("--dry-run", config=config)
    assert result.code != 0
    assert "Traceback" not in result.output
    return result.output


def test_unknown_keys_are_refused_with_the_known_ones(workspace, config):
    config["tolerance"] = {}
    config["figures"]["colour"] = "red"
    text = message(workspace, config)
    assert "unknown key 'tolerance' (did you mean 'tolerances'?)" in text
    assert "invalid configuration" in text
    assert "figures: unknown key 'colour'; known: palette, dpi" in text


def test_a_number_that_yaml_takes_for_a_text_is_explained(workspace):
    path = workspace.folder / "config.yaml"
    path.write_text("models: [logistic]\ntolerances: {tightest: 1e-6}\n")
    assert yaml.safe_load(path.read_text())["tolerances"]["tightest"] == "1e-6"
    result = workspace.with_file(path, "--dry-run")
    assert result.code != 0
    assert f"{path}:2: tolerances.tightest: '1e-6' is a text, not a number" in result.output
    assert "1.0e-6" in result.output


def test_a_key_that_is_set_twice_is_refused_with_both_lines(workspace):
    path = workspace.folder / "config.yaml"
    path.write_text("models: [logistic]\nfigures:\n  dpi: 40\n  dpi: 50\nmodels: [lorenz]\n")
    result = workspace.with_file(path, "--dry-run")
    assert result.code != 0
    assert "Traceback" not in result.output
    assert f"{path}:4: figures.dpi is set twice, here and on line 3" in result.output
    assert f"{path}:5: models is set twice, here and on line 1" in result.output


def test_broken_yaml_is_named_with_its_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "config.yaml"
    path.write_text("models: [logistic]\nfigures: {dpi: 40\nreport: {}\n")
    assert start([str(path)]) == 2
    assert f"{path}:3: invalid YAML" in capsys.readouterr().err
    path.write_text("models: [logistic]\n")
    assert start([str(path)]) == 0


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"models": ["logistik"]}, "did you mean 'logistic'?"),
        ({"models": ["models/missing.py"]}, "models/missing.py does not exist"),
        ({"models": ["logistic", "copies/logistic.py"]}, "two models have the key 'logistic'"),
        ({"solvers": {"tsit4": {}}}, "unknown solver 'tsit4' (did you mean 'tsit5'?)"),
        ({"methods": ["forward"]}, "unknown method 'forward'"),
        ({"tolerances": {"loosest": 1e-6, "tightest": 1e-3}}, "swap them"),
        (
            {"tolerances": {"loosest": 2.0}},
            "tolerances.loosest: 2.0 is too large: it must be below 1",
        ),
        ({"observe": "often"}, "observe: 'often' is not one of step, clip, interpolant"),
        ({"max_steps": 0}, "max_steps: 0 is too small: it must be at least 1"),
        ({"figures": {"dpi": 99.5}}, "figures.dpi: 99.5 is not a whole number"),
        ({"methods": []}, "methods: 0 entries; write at least 1"),
        ({"models": ["logistic", "logistic"]}, "models: 'logistic' is repeated"),
        ({"sweep": [1]}, "sweep: [1] is not a mapping"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_does_not_exist_is_named(workspace, config, changes, expected):
    copies = workspace.folder / "copies"
    copies.mkdir(exist_ok=True)
    (copies / "logistic.py").write_text("")
    try:
        assert expected in message(workspace, {**config, **changes})
    finally:
        (copies / "logistic.py").unlink()
        copies.rmdir()
