"""Bad models in the terminal: a message on stderr, the exit code 2, and no traceback."""

from __future__ import annotations

import json

import pytest

from gradaudit.cli import main as cli

HEADER = """import jax
import jax.numpy as jnp
import numpy as np
from gradaudit import Model
"""
MODEL = """
MODEL = Model(
    name="mine",
    vector_field=f,
    states={"y": (1.0, "mM")},
    parameters={"k": (1.0, "1/s")},
    t_end=1.0,
)
"""


def field(body: str, more: str = "") -> str:
    return f"{HEADER}{more}\ndef f(t, y, p):\n    {body}\n{MODEL}"


FILES = {
    "syntax error": ("def f(t, y, p:\n", "line 1: not valid Python"),
    "failing import": ("import no_such_package\n", "line 1: importing it failed"),
    "no MODEL": ("x = 1\n", "defines no MODEL"),
    "MODEL of another type": ("MODEL = 3\n", "MODEL is of type int"),
    "states twice": (
        field("return -p[0] * y").replace('"mM")}', '"mM"), "y": (2.0, "mM")}'),
        "states has the name 'y' twice",
    ),
    "state and parameter": (
        field("return -p[0] * y").replace('{"k"', '{"y"'),
        "'y' name both a state and a parameter",
    ),
    "wrong shape": (field("return jnp.zeros(2)"), "returns shape (2,)"),
    "list": (field("return [-p[0] * y[0]]"), "returns a list"),
    "nan at the start": (field("return p[0] * jnp.log(y - 2.0)"), "not finite at t = 0"),
    "python branch": (field("return y if t > p[0] else -y"), "branches in python"),
    "numpy": (field("return -p[0] * np.sin(y)"), "applies a numpy function"),
    "float32": (field("return -p[0] * y * np.float32(0.1)"), "rounded to float32"),
    "print": (field("jax.debug.print('{}', y); return -p[0] * y"), "side effect"),
    "append": (field("LOG.append(1); return -p[0] * y", "LOG = []\n"), "changes 'LOG'"),
    "random": (field("return -p[0] * y * np.random.rand()"), "random numbers"),
    "unit forgotten": (
        field("return -p[0] * y").replace('(1.0, "1/s")', "1.0"),
        "write (value, 'unit')",
    ),
    "window": (field("return -p[0] * y").replace("t_end=1.0", "t_end=-1.0"), "t_end is -1.0"),
    "switch": (
        field("return jnp.where(t < 0.5, -p[0] * y, y)"),
        "model 'mine': vector_field",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_the_message_says_what_and_where(name, tmp_path, capfd):
    text, words = FILES[name]
    path = tmp_path / "mine.py"
    path.write_text(text)
    settings = {"digits": 8, "negligible": 1e-3, "time_limit_s": 30, "proof": False}
    output = str(tmp_path / "reference.nc")
    code = cli.main(
        ["reference", str(path), "--settings", json.dumps(settings), "--output", output]
    )
    captured = capfd.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.startswith("gradaudit: ")
    assert words in captured.err
    assert "Traceback" not in captured.err
    assert "mine" in captured.err
    assert not (tmp_path / "reference.nc").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("notes.txt", "is a file ending in .py"),
        ("1st.py", "begins with a letter"),
        ("there.py", "exists and is left as it is"),
    ],
)
def test_new_refuses_names_and_files_that_are_there(name, words, tmp_path, capsys):
    (tmp_path / "there.py").write_text("x = 1\n")
    assert cli.main(["new", str(tmp_path / name)]) == 2
    assert words in capsys.readouterr().err
    assert (tmp_path / "there.py").read_text() == "x = 1\n"


def test_the_template_is_a_model_named_after_its_file(tmp_path, capsys):
    import gradaudit

    path = tmp_path / "folder" / "my_model.py"
    assert cli.main(["new", str(path)]) == 0
    assert f"gradaudit audit {path}" in capsys.readouterr().out
    model = gradaudit.load_model(path)
    assert model.name == "my_model"
    assert gradaudit.reference(model, times=[1.0, 10.0]).digits >= 12


def test_every_field_of_a_model_is_in_the_template():
    from dataclasses import fields

    from gradaudit.model.definition import Model
    from gradaudit.model.template import TEMPLATE

    text = TEMPLATE.read_text()
    ours = ("source", "exact_sensitivities")
    assert [f.name for f in fields(Model) if f.name not in ours and f"{f.name}=" not in text] == []
