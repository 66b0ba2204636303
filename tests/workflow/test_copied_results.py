"""Results without Snakemake's records: copied from another machine, or `.snakemake` was deleted."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace

import pytest

from gradaudit.pipeline.config import study_of
from gradaudit.pipeline.start import prepare


@pytest.fixture
def copied(completed, tmp_path, monkeypatch):
    """The results and models of the complete study, and nothing of Snakemake's."""
    for name in ("results", "models"):
        shutil.copytree(completed.folder / name, tmp_path / name)
    make_newer(tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    return replace(completed, folder=tmp_path)


def make_newer(folder):
    """Newer than the code, to which other tests may have written, in the order that they had."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    later = time.time() - min(path.stat().st_mtime for path in files)
    for path in files:
        when = path.stat()
        os.utime(path, (when.st_atime + later, when.st_mtime + later))


def said(capsys):
    """The sentences on results; others are on what dead processes have left."""
    return [line for line in capsys.readouterr().err.splitlines() if "/results/" in line]


@pytest.mark.slow
def test_results_of_the_same_study_are_kept(copied, config, capsys):
    assert prepare(study_of(config), copied.folder)
    assert said(capsys) == []
    assert copied.dry(config=config) == {}


@pytest.mark.slow
def test_results_of_other_settings_are_made_again(copied, config, capsys):
    config["reference"] = {"digits": 9}
    assert copied.dry(config=config) == {}  # Snakemake alone takes them for the results
    assert prepare(study_of(config), copied.folder)
    sentences = said(capsys)
    assert len(sentences) == 2
    assert all("with other settings than those of this study" in line for line in sentences)
    assert copied.dry(config=config)["reference"] == 2


@pytest.mark.slow
def test_results_of_another_file_of_a_model_are_made_again(copied, config, capsys):
    model = copied.folder / "models" / "decay.py"
    model.write_text(model.read_text().replace("0.7", "0.8"))
    assert prepare(study_of(config), copied.folder)
    sentences = said(capsys)
    assert len(sentences) == 5
    assert all("the file of the model 'decay' was another one" in line for line in sentences)
    found = copied.dry(config=config)
    assert {rule: found[rule] for rule in ("simulate", "gradients", "reference")} == {
        "simulate": 1, "gradients": 1, "reference": 1,
    }  # fmt: skip
