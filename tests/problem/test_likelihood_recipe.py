"""The likelihood of a user's own data, as `docs/adding-a-model.md` has it, by the closed form."""

from __future__ import annotations

import re
from pathlib import Path

import jax
import numpy as np
import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "adding-a-model.md"


@pytest.mark.slow
def test_the_recipe_gives_the_gradient_of_the_closed_form(capsys):
    text = DOCUMENT.read_text(encoding="utf-8").partition("### The likelihood of your own data")[2]
    (code, *_) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    found: dict = {}
    exec(code, found)
    model, times, data = found["model"], found["times"], found["data"]

    def log_likelihood(p):
        states = jax.numpy.stack([model.exact_solution(t, p)[0] for t in times])
        return -0.5 * jax.numpy.sum(((states - data) / found["sigma"]) ** 2)

    exact = np.asarray(jax.grad(log_likelihood)(model.nominal))
    # the closed form is evaluated in float64
    allowed = found["bounds"] + 1e-13 * np.abs(exact)
    assert np.all(np.abs(found["exact"] - exact) <= allowed)
    np.testing.assert_allclose(found["mine"], exact, rtol=1e-4)
    assert "ok ok" in capsys.readouterr().out
