"""A configuration that does not hold: what is wrong, where, and what to write, and no traceback."""

from __future__ import annotations

import pytest
import yaml


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
    assert "figures: unknown key 'colour'; known: palette, dpi" in text


def test_a_number_that_yaml_takes_for_a_text_is_explained(workspace):
    path = workspace.folder / "config.yaml"
    path.write_text("models: [logistic]\ntolerances: {tightest: 1e-6}\n")
    assert yaml.safe_load(path.read_text())["tolerances"]["tightest"] == "1e-6"
    result = workspace.with_file(path, "--dry-run")
    assert result.code != 0
    assert "tolerances.tightest: '1e-6' is a text, not a number" in result.output
    assert "1.0e-6" in result.output


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"models": ["logistik"]}, "did you mean 'logistic'?"),
        ({"models": ["models/missing.py"]}, "models/missing.py does not exist"),
        ({"models": ["logistic", "copies/logistic.py"]}, "two models have the key 'logistic'"),
        ({"solvers": {"tsit4": {}}}, "unknown solver 'tsit4' (did you mean 'tsit5'?)"),
        ({"methods": ["forward"]}, "unknown method 'forward'"),
        ({"tolerances": {"loosest": 1e-6, "tightest": 1e-3}}, "swap them"),
        ({"tolerances": {"loosest": 2.0}}, "tolerances.loosest: 2.0 is greater than"),
        ({"observe": "often"}, "observe: 'often' is not one of"),
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
