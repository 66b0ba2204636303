"""Certificates of models drawn at random claim no more than an independent solution confirms.

``GRADAUDIT_HUNT_MINUTES=30 pytest tests/reports/test_claims.py -s`` draws for that long, with seeds
of its own (``GRADAUDIT_HUNT_SEED`` to repeat), and prints what was drawn and found.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from reports.grammar import Spec, specs
from reports.hunt import Tally, judge, judge_solvers, smallest
from reports.piecewise import UndefinedError, truth

MINUTES = float(os.environ.get("GRADAUDIT_HUNT_MINUTES", "0"))
QUICK, MORE = 5, 50
PER_SEED = 100
EVERY = 4  # of the models of a hunt are given to the solvers as well


def _settings(examples: int, **further):
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        **further,
    )


@pytest.mark.slow
@_settings(QUICK, derandomize=True)
@given(specs())
def test_no_certificate_claims_too_much(spec: Spec):
    _, fault, _ = judge(spec)
    assert not fault, f"{fault}\n{spec}"


@pytest.mark.slow
@_settings(MORE, derandomize=True)
@given(specs())
def test_no_certificate_of_more_models_claims_too_much(spec: Spec):
    _, fault, _ = judge(spec)
    assert not fault, f"{fault}\n{spec}"


def hunt():
    tally, until = Tally(), time.monotonic() + 60.0 * MINUTES
    number = int(os.environ.get("GRADAUDIT_HUNT_SEED", time.time_ns() % 10**6))
    seen: set[Spec] = set()

    def look(spec: Spec) -> None:
        if time.monotonic() > until or spec in seen:
            return
        seen.add(spec)
        what, fault, ratio = judge(spec)
        tally.outcomes[what] += 1
        tally.worst = max(tally.worst, ratio)
        if fault:
            spec = smallest(spec, lambda candidate: bool(judge(candidate)[1]))
            tally.findings.append((spec, judge(spec)[1]))
            print(f"\n{tally.findings[-1][1]}\n    {spec}", flush=True)
        if len(seen) % EVERY == 0:
            what, fault = judge_solvers(spec)
            tally.solvers[what] += 1
            if fault:
                spec = smallest(spec, lambda candidate: bool(judge_solvers(candidate)[1]))
                tally.findings.append((spec, judge_solvers(spec)[1]))
                print(f"\n{tally.findings[-1][1]}\n    {spec}", flush=True)

    while time.monotonic() < until:
        seed(number)(_settings(PER_SEED)(given(specs())(look)))()
        print(f"\nseed {number}: {tally}", flush=True)
        number += 1
    assert not tally.findings, str(tally)


if MINUTES:
    test_hunt = hunt


def test_the_independent_solution_knows_a_dose_and_a_closed_form():
    from math import exp

    from reports.grammar import Crossing, Jump, Term

    spec = Spec(
        states=(1.0,), parameters=(0.7, 0.5), seed=None, switches=(), times=(0.25, 1.0),
        terms=(Term(0, "decay", 0, ("p", 0)),),
        jumps=(Jump(0, Crossing(None, ("p", 1)), 1, "add", ("c", 2.0), False, None),),
    )  # fmt: skip
    true = truth(spec)
    after = 2.0 * exp(-0.35)
    exact = [[-0.25 * exp(-0.175), 0.0], [-exp(-0.7) - 0.5 * after, 0.7 * after]]
    assert abs(true.derivatives[:, 0] - exact).max() < 1e-12
    assert true.errors.max() < 1e-10
    second = Jump(0, Crossing(None, ("p", 1)), 1, "multiply", ("c", 2.0), False, None)
    both = replace(spec, jumps=(*spec.jumps, second))
    with pytest.raises(UndefinedError, match="order"):
        truth(both)
