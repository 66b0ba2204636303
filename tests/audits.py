"""Audits with laws that are known, for what is fitted and counted from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9)


@pytest.fixture
def audits() -> Callable[..., pd.DataFrame]:
    """Rows whose error is ``factor * state_error**power * scatter``, the state error = 0.1 rtol.

    A ladder is a dict of columns that take the place of the defaults, or of functions of rtol,
    state error and error; ladders differ by a constant of log-normal ``spread``.
    """

    def make(
        *ladders: Mapping[str, Any], power: float = 1.0, factor: float = 30.0, spread: float = 1.0
    ) -> pd.DataFrame:
        random = np.random.default_rng(1)
        rows = []
        for number, ladder in enumerate(ladders or ({},)):
            constant = np.exp(random.normal(0.0, spread))
            for rtol in TOLERANCES:
                state = 0.1 * rtol
                error = factor * constant * state**power * np.exp(random.normal(0.0, 0.1))
                row = {
                    "model": "made_up",
                    "mechanism": "smooth dissipative",
                    "regime": "good",
                    "solver": "tsit5",
                    "method": "forward_ad",
                    "functional": f"terminal_{number}",
                    "kind": "terminal",
                    "rtol": rtol,
                    "status": "ok",
                    "state_error": state,
                    "error": error,
                    "error_floor": 1e-13,
                    "reference_norm": 1.0,
                    "natural_scale": 1.0,
                    "piecewise_constant": False,
                    "work": 1e3 * rtol**-0.2,
                    "seconds": 1e-3 * rtol**-0.2,
                    "converging": True,
                    "reason": "",
                } | {k: v(rtol, state, error) if callable(v) else v for k, v in ladder.items()}
                if "verdict" not in row:
                    wrong = row["error"] > 0.5 or not row["converging"]
                    row["verdict"] = (
                        "horrible" if wrong else "bad" if row["error"] > 1e-2 else "good"
                    )
                rows.append(row)
        table = pd.DataFrame(rows)
        ladder = table.groupby(["model", "solver", "method", "functional"])["verdict"]
        words = ladder.transform(lambda v: v.iloc[0] if v.nunique() == 1 else "bad")
        good = table["rtol"].where(table["error"] <= 1e-2)
        names = [table[k] for k in ("model", "solver", "method", "functional")]
        needed = good.groupby(names).transform("max")
        return table.assign(ladder_verdict=words, sufficient_rtol=needed, spikes=0)

    return make
