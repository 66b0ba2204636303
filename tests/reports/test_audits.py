"""`gradaudit audit` of some of the cases: the verdicts of a wrong derivative are not "good"."""

from __future__ import annotations

import json

import pytest

from gradaudit.cli import main as cli

HEADER = "import jax.numpy as jnp\nfrom gradaudit import Event, Model\n"
QUICK = ("--solvers", "tsit5", "--tightest", "1e-4", "--cores", "1", "--json")


@pytest.fixture
def audited(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

    def run(body: str, *arguments: str) -> dict:
        path = tmp_path / "mine.py"
        path.write_text(HEADER + body)
        code = cli.main(["audit", str(path), *QUICK, *arguments])
        captured = capfd.readouterr()
        assert "Traceback" not in captured.err + captured.out
        assert code in (0, 1)
        return json.loads(captured.out)

    return run


def _model(field: str, parameters: str, *, y: float = 1.0, t_end: float = 2.0, events: str = "{}"):
    return (
        f"MODEL = Model(name='mine', vector_field=lambda t, y, p: {field}, "
        f"states={{'y': ({y!r}, '1')}}, parameters={parameters}, t_end={t_end!r}, "
        f"observations=11, events={events})\n"
    )


@pytest.mark.slow
def test_a_switch_at_the_end_of_the_window_gets_no_verdict(audited):
    found = audited(
        _model(
            "jnp.where(t < p[0], 1.0, 0.0) + 0.0 * y", "{'off': (2.0, '1')}",
            events="{'off': Event(when=lambda t, y, p: t - p[0])}",
        ),
        "--methods", "forward_ad",
    )  # fmt: skip
    assert "one-sided" in found["reference"]["status"]
    assert {row["verdict"] for row in found["rows"]} == {"unknown"}


@pytest.mark.slow
def test_a_state_from_1e_9_is_not_good_at_a_loose_absolute_tolerance(audited):
    """At rtol 1e-4 the default atol is 1e-7, above the initial state."""
    found = audited(
        _model("p[0] * y * (1.0 - y)", "{'r': (1.0, '1')}", y=1e-9, t_end=25.0),
        "--methods", "forward_ad",
    )  # fmt: skip
    assert found["reference"]["status"] == "ok"
    assert all(row["error"] > 1e-2 for row in found["rows"])
    assert "good" not in {row["verdict"] for row in found["rows"]}


@pytest.mark.slow
def test_a_column_that_is_zero_by_cancellation_has_errors(audited):
    found = audited(
        _model("-p[0] * p[1] * y / p[0]", "{'a': (0.3, '1'), 'k': (0.7, '1')}"),
        "--methods", "forward_ad",
    )  # fmt: skip
    assert found["reference"]["status"] == "ok"
    assert all(row["error"] < 1e-2 for row in found["rows"])


@pytest.mark.slow
def test_a_dose_at_the_start_is_certified(audited):
    found = audited(
        _model(
            "-p[0] * y", "{'k': (0.7, '1'), 'dose': (2.0, '1')}",
            events="{'dose': Event(when=lambda t, y, p: t, jump=lambda t, y, p: y + p[1])}",
        ),
        "--methods", "saltation",
    )  # fmt: skip
    assert found["reference"]["status"] == "ok"
    assert found["reference"]["digits"] > 12
    assert all(row["error"] < 1e-2 for row in found["rows"])
