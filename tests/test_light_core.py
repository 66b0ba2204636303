"""The library installs alone, with few packages, and says which extra holds what is missing."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gradaudit.errors import EXTRAS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGE = (ROOT / "docs" / "checked-gradients.md").read_text(encoding="utf-8")
NUMERICAL = {
    *("numpy", "scipy", "jax", "jaxlib", "equinox", "diffrax", "jaxtyping", "gradaudit"),
    *("lineax", "optimistix", "ml-dtypes", "opt-einsum", "typing-extensions", "wadler-lindig"),
}
ASKED = {
    "import gradaudit; gradaudit.reference('logistic')": "reference",
    "import gradaudit; gradaudit.sensitivities('logistic', method='taylor')": "reference",
    "import gradaudit; gradaudit.sensitivities('logistic', method='cvodes')": "witnesses",
    "import gradaudit; gradaudit.load_model('model.xml')": "sbml",
    "from gradaudit.cli.main import main; print(main(['audit', 'logistic']))": "workflow",
}


def normal(requirement: str) -> str:
    """The name of a distribution, as pip compares it."""
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None
    return name[0].lower().replace("_", "-")


def test_every_package_of_an_extra_is_known_by_the_module_that_it_brings():
    extras = PROJECT["optional-dependencies"]
    brought = importlib.metadata.packages_distributions()
    for module, extra in EXTRAS.items():
        names = {normal(name) for name in brought[module]}
        assert names & {normal(requirement) for requirement in extras[extra]}, module
    asked = {
        normal(requirement)
        for extra in {*EXTRAS.values()}
        for requirement in extras[extra]
        if not requirement.startswith("gradaudit[")
    }
    known = {normal(name) for module in EXTRAS for name in brought[module]}
    assert asked <= known


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with nothing but the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("alone")
    uv = str(Path(sys.executable).with_name("uv"))
    python = folder / "venv" / "bin" / "python"
    for command in (
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        [uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"],
    ):
        subprocess.run(list(map(str, command)), cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    install = [uv, "pip", "install", "--quiet", "--python", python, wheel]
    # The versions that everything else is tested with; hashes are of use to the lock alone.
    pins = re.findall(r"^([\w.-]+==[^ ;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    names = [pin.partition("==")[0] for pin in pins]
    single = [pin for pin in pins if names.count(pin.partition("==")[0]) == 1]
    (folder / "pins.txt").write_text("\n".join(single))
    subprocess.run(
        list(map(str, [*install, "--constraint", folder / "pins.txt"])), check=True, cwd=folder
    )
    return python


def run(python: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [str(python), *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_the_library_needs_few_packages(alone, tmp_path):
    code = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    installed = run(alone, "-c", code, folder=tmp_path).stdout.split()
    assert {normal(name) for name in installed} <= NUMERICAL


@pytest.mark.slow
def test_a_checked_fit_runs_with_the_library_alone(alone, tmp_path):
    """The fit of docs/checked-gradients.md, which plain forward AD gets wrong."""
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        if language == "python":
            (tmp_path / text.split()[1]).write_text(text, encoding="utf-8")
    done = run(alone, "fit.py", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "checked: loss 0.601" in done.stdout


def test_the_types_are_in_the_wheel(alone, tmp_path):
    code = "import gradaudit, pathlib as p; print(p.Path(*gradaudit.__path__, 'py.typed').exists())"
    assert run(alone, "-c", code, folder=tmp_path).stdout.strip() == "True"


@pytest.mark.sampled(3)
@pytest.mark.parametrize("code", ASKED)
def test_what_needs_an_extra_says_which_one_in_one_sentence(code, alone, tmp_path):
    (tmp_path / "model.xml").write_text("<sbml/>")
    done = run(alone, "-c", code, folder=tmp_path)
    last = done.stderr.strip().splitlines()[-1]
    assert f"pip install 'gradaudit[{ASKED[code]}]'" in last
