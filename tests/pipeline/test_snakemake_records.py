"""What Snakemake keeps of a file is found where it keeps it, and read as params."""

from __future__ import annotations

import json

import pytest
from snakemake.persistence.file import FilePersistence

from gradaudit.pipeline.snakemake_records import recorded_params

NAMES = ["results/reference/logistic.nc", f"results/{'a long name/' * 40}x.nc"]


@pytest.mark.parametrize("name", NAMES, ids=["short", "long"])
def test_the_params_of_a_job_come_back(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    kept = FilePersistence()
    kept._io_write(kept._metadata_path, {"params": [repr('{"digits":9}'), repr("code")]}, name)
    assert recorded_params(tmp_path, name) == {'{"digits":9}', "code"}


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"params": ["no literal"]})])
def test_what_cannot_be_read_is_not_there(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    kept = FilePersistence()
    kept._io_write(kept._metadata_path, {}, "x")
    (path,) = (p for p in (tmp_path / ".snakemake" / "metadata").iterdir() if p.is_file())
    path.write_text(text)
    assert recorded_params(tmp_path, "x") is None
    assert recorded_params(tmp_path, "y") is None
