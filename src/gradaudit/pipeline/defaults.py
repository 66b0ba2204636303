"""The defaults of the configuration, for a command that is run without one.

The schema of the workflow states the same values; a test keeps the two equal.
"""

from __future__ import annotations

from typing import Any

DEFAULTS: dict[str, Any] = {
    "results": "results",
    "models": ["liu_neuron", "logistic"],
    "solvers": {"tsit5": {}, "dopri8": {}, "kvaerno5": {}},
    "methods": ["forward_ad", "forward_sensitivity", "dual_norm"],
    "estimate": ["forward_ad"],
    "tolerances": {"loosest": 1e-3, "tightest": 1e-12, "per_decade": 1},
    "atol_factor": 1e-3,
    "observe": "step",
    "max_steps": 500000,
    "reference": {"digits": 12, "negligible": 1e-3, "time_limit_s": 600},
    "functionals": {
        "kinds": [
            "terminal",
            "trace_sse",
            "log_likelihood",
            "time_average",
            "maximum",
            "spectrum",
            "soft_count",
            "phase_aligned",
            "event_time",
            "event_value",
            "event_interval",
            "event_phase",
            "event_count",
        ],
        "noise": 0.05,
        "seed": 1,
    },
    "verdict": {
        "good": 1e-2,
        "horrible": 0.5,
        "cancellation": 1e-9,
        "minimum_order": 0.25,
        "floor": 1e-11,
        "stalled": 1e-4,
    },
    "experiment": {
        "models": ["liu_neuron"],
        "solver": "tsit5",
        "stepping": "sciml",
        "observe": "interpolant",
        "published_norms": {"liu_neuron": 1.45e6},
        "tolerances": [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9],
    },
    "sweep": {
        "models": [],
        "solver": "tsit5",
        "rtol": 1e-3,
        "points": 401,
        "span": 0.1,
        "steps": [1e-5, 1e-3],
    },
    "atlas": {"accuracies": [1e-2, 1e-4, 1e-6]},
    "figures": {"palette": "colorblind", "dpi": 150},
    "report": {"title": "Where forward-mode gradients can be trusted"},
    "tracking": {"uri": "", "experiment": "gradaudit"},
}
