"""The code of docs/petab.md, block after block, on a problem of the tests."""

from __future__ import annotations

from math import log, pi

import pytest

from pages import Page


@pytest.mark.slow
def test_the_code_of_the_page_runs(write, monkeypatch, capsys):
    monkeypatch.chdir(write().parent)
    code = "\n".join(text for language, text in Page("petab.md").blocks if language == "python")
    exec(compile(code, "petab.md", "exec"), {})  # what a reader would type
    last = capsys.readouterr().out.splitlines()[-1]
    # o = A = 2 exp(-k t) with noise 0.5: 1.5 at t = 0, and 1 at t = 2, which k = log(2) / 2 meets
    assert last.startswith("CONVERGENCE")
    assert abs(float(last.split()[-1]) - (-0.5 - log(pi / 2))) < 1e-8
