"""How long a solve that ran out of time would need, in words."""

from __future__ import annotations

import numpy as np

from gradaudit.certification.variational import Solution


def rounded(number: float) -> str:
    """A number to one digit, as in 300 or 3e8."""
    text = f"{number:.0e}"
    exponent = int(text.partition("e")[2])
    return f"{float(text):g}" if exponent < 5 else f"{text[0]}e{exponent}"


def needed(solution: Solution, t_end: float, beside: Solution | None = None) -> str:
    """What a solve that ran out of time would need, from how far it came; empty for others.

    Of the window, or, where steps are short at first, of the steps of a whole solve `beside` it.
    """
    if solution.status not in ("time_limit", "max_steps") or solution.last is None:
        return ""
    share = solution.last[0] / t_end
    if beside is not None and beside.status == "ok" and len(beside.step_starts):
        share = float(np.mean(beside.step_starts < solution.last[0]))
    if not 0.0 < share < 1.0:
        return ""
    steps, seconds = solution.steps / share, solution.run_seconds / share
    # A solve of a problem begins with what others left of the time, which may be next to nothing.
    had, would = rounded(solution.run_seconds), rounded(seconds)
    return f"it had {had} s and would need about {would} s ({rounded(steps)} steps)"
