"""A small workflow in a folder of its own, with a copy of the package that tests may edit."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIG: dict[str, Any] = {
    "models": ["models/decay.py", "logistic"],
    "solvers": {"tsit5": {}},
    "methods": ["forward_ad", "forward_sensitivity"],
    "tolerances": {"loosest": 1e-3, "tightest": 1e-5, "per_decade": 1},
    "reference": {"digits": 8},
    "experiment": {"models": ["models/decay.py"], "tolerances": [1e-3]},
    "atlas": {"accuracies": [1e-2]},
    "figures": {"dpi": 40},
}
DECAY = """
import jax.numpy as jnp

from gradaudit import Model


def vector_field(t, y, p):
    return jnp.stack([-p[0] * y[0]])


MODEL = Model(
    name="decay",
    vector_field=vector_field,
    states={"y": (1.0, "mol")},
    parameters={"k": (0.7, "1/s")},
    t_end=2.0,
    time_unit="s",
)
"""


@dataclass(frozen=True)
class Result:
    """Exit code and output of one run of Snakemake."""

    code: int
    output: str

    @property
    def jobs(self) -> dict[str, int]:
        """Jobs of every rule, from the table that a run begins with; without the rule all."""
        table = self.output.partition("Job stats:")[2].partition("\ntotal")[0]
        counts = {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
        counts.pop("all", None)
        return counts


@dataclass(frozen=True)
class Workspace:
    """A working folder: ``config.yaml``, ``models/decay.py`` and ``src``, a copy of the package."""

    folder: Path
    source: Path
    server: subprocess.Popen[str]

    def snakemake(self, *arguments: str, config: dict[str, Any] | None = None) -> Result:
        """Run Snakemake with a configuration, by default the one that was completed."""
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(CONFIG if config is None else config, sort_keys=False))
        return self.with_file(path, *arguments)

    def with_file(self, path: Path, *arguments: str) -> Result:
        """Run Snakemake with a configuration file."""
        command = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(self.folder)]
        command += ["--cores", "2", "--configfile", str(path), *arguments]
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps(command) + "\n")
        self.server.stdin.flush()
        return Result(**json.loads(self.server.stdout.readline()))

    def dry(self, *arguments: str, config: dict[str, Any] | None = None) -> dict[str, int]:
        """The jobs that a run would start; fails where the workflow does."""
        result = self.snakemake("--dry-run", *arguments, config=config)
        assert result.code == 0, result.output
        return result.jobs

    @contextmanager
    def edited(self, name: str, *, old: str = "", new: str) -> Iterator[None]:
        """A file with `new` for `old`, or at its end; as it was afterwards."""
        path = self.folder / name
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new, 1) if old else before + new)
        try:
            yield
        finally:
            path.write_text(before)


@pytest.fixture
def config() -> dict[str, Any]:
    """The configuration of the completed run, to be changed by a test."""
    return copy.deepcopy(CONFIG)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace in which nothing has run."""
    folder = tmp_path_factory.mktemp("workflow")
    shutil.copytree(
        ROOT / "src" / "gradaudit",
        folder / "src" / "gradaudit",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (folder / "models").mkdir()
    (folder / "models" / "decay.py").write_text(DECAY)
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder / "src"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # programs here are compiled to run once
    }
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("snakemake_server.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=folder,
    ) as server:
        yield Workspace(folder, folder / "src", server)
        server.stdin.close()  # type: ignore[union-attr]


@pytest.fixture(scope="session")
def first_run(workspace: Workspace) -> Result:
    """The first, complete run in the workspace."""
    return workspace.snakemake()


@pytest.fixture
def completed(workspace: Workspace, first_run: Result) -> Workspace:
    """The workspace after a complete run."""
    assert first_run.code == 0, first_run.output
    return workspace
