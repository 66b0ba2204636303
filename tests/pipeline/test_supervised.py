"""A job is watched: a solve or a job that takes too long ends, and a death is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradaudit.errors import SettingError
from gradaudit.pipeline import supervised as module
from gradaudit.pipeline.supervised import CODE, solve_within, supervised
from gradaudit.records.files import read_dataset

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jobs are watched on Linux alone")

HANGS = """
import jax
import jax.numpy as jnp
from gradaudit import Model


def vector_field(t, y, p):
    rounds = jnp.exp(60.0 * (1.0 - y[0])).astype(int)  # 1e9 where y = 0.65
    endless = jax.lax.fori_loop(0, rounds, lambda k, x: 0.5 * x, p[0])
    return jnp.stack([-p[0] * y[0] + 0.0 * endless])


MODEL = Model(
    name="hangs", vector_field=vector_field, states={"y": (1.0, "mM")},
    parameters={"k": (1.0, "1/s")}, t_end=2.0,
)
"""


def forever():
    while True:
        time.sleep(0.05)


def test_a_solve_that_never_ends_is_given_up_and_the_others_are_done_once(tmp_path):
    def noted(name):
        with (tmp_path / "solves").open("a") as notes:
            notes.write(name)
        return name

    def work():
        found = [
            solve_within(10.0, "a", lambda: noted("a")),
            solve_within(0.5, "b", forever),
            solve_within(10.0, "c", lambda: noted("c")),
        ]
        (tmp_path / "found").write_text(json.dumps(found))

    assert supervised(work, "a job") == 0
    assert json.loads((tmp_path / "found").read_text()) == ["a", None, "c"]
    assert (tmp_path / "solves").read_text() == "ac"


def test_what_no_process_watches_has_no_limit():
    assert solve_within(0.0, "a", lambda: 7) == 7


def test_a_job_that_takes_too_long_ends_with_a_sentence(monkeypatch, capfd):
    monkeypatch.setenv(module.VARIABLE, "0.5")
    assert supervised(forever, "stage sweep of mine.py") == CODE
    assert capfd.readouterr().err.startswith(
        "gradaudit: stage sweep of mine.py: the job took longer than 0.5 s and was stopped. "
    )


def test_a_job_that_is_killed_says_how_much_memory_it_had(capfd):
    code = supervised(lambda: os.kill(os.getpid(), signal.SIGKILL), "stage gradients of mine.py")
    told = capfd.readouterr().err
    assert code == 128 + signal.SIGKILL
    assert "stage gradients of mine.py: the process died by signal 9 (SIGKILL), with " in told
    assert "mem_mb" in told


def fail():
    raise SettingError("that is wrong.")


@pytest.mark.parametrize(
    ("work", "code"), [(lambda: None, 0), (lambda: 5, 5), (fail, 2), (lambda: sys.exit(4), 4)]
)
def test_the_exit_code_is_that_of_the_work(work, code):
    assert supervised(work, "a job") == code


def test_the_worker_ends_with_the_process_that_watches_it(tmp_path):
    def work():
        (tmp_path / "worker").write_text(str(os.getpid()))
        forever()

    watching = os.fork()
    if watching == 0:
        os._exit(supervised(work, "a job"))
    deadline = time.monotonic() + 20.0
    while not (tmp_path / "worker").exists() or not (tmp_path / "worker").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(watching, signal.SIGKILL)
    os.waitpid(watching, 0)
    worker = int((tmp_path / "worker").read_text())
    while time.monotonic() < deadline:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        if "State:\tZ" in Path(f"/proc/{worker}/status").read_text():
            return
        time.sleep(0.05)
    raise AssertionError("the worker lives on")


def gradients(tmp_path, text, **settings):
    (tmp_path / "hangs.py").write_text(text)
    given = {
        "methods": ["forward_ad"], "estimate": ["forward_ad"], "tolerances": [1e-3, 1e-4],
        "atol_factor": 1e-3, "max_steps": 1000, "observe": "step",
    } | settings  # fmt: skip
    command = [Path(sys.executable).with_name("gradaudit"), "gradients", tmp_path / "hangs.py"]
    command += ["--solver", "tsit5", "--settings", json.dumps(given)]
    command += ["--output", tmp_path / "hangs.nc"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_an_endless_loop_in_compiled_code_is_a_row_with_the_status_time_limit(tmp_path):
    done = gradients(tmp_path, HANGS, solve_s=15)
    assert done.returncode == 0, done.stderr
    found = read_dataset(tmp_path / "hangs.nc")
    assert found["status"].values.tolist() == [["time_limit", "time_limit"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("\n\nMODEL", "\n\nwhile True:\n    pass\nMODEL", 13),
        ("    rounds =", "    while True:\n        pass\n    rounds =", 8),
    ],
    ids=["at its top", "in the vector field"],
)
def test_an_endless_loop_in_a_file_ends_with_its_name_and_line(
    tmp_path, monkeypatch, old, new, line
):
    monkeypatch.setenv("GRADAUDIT_IMPORT_S", "6")
    done = gradients(tmp_path, HANGS.replace(old, new), solve_s=60)
    told = done.stderr
    assert done.returncode == 2, told
    assert f"{tmp_path / 'hangs.py'}, line {line}" in told.replace(
        f"line {line + 1}", f"line {line}"
    )
    assert "loading the model took longer than 6 s" in told
    assert "Traceback" not in told
