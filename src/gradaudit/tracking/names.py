"""Names and steps that MLflow accepts: sanitised names, and integers for tolerances."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable

_REFUSED = re.compile(r"[^A-Za-z0-9_\-. ]+")
_LONGEST = 150


def metric_names(names: Iterable[str]) -> dict[str, str]:
    """Map every name to one that MLflow accepts; different names stay different.

    Slashes are replaced too, because the user interface groups charts by what precedes a slash.
    """
    names = sorted(set(names))
    plain = {name: _REFUSED.sub("_", name).strip("_ .")[:_LONGEST] or "unnamed" for name in names}
    taken: dict[str, str] = {}
    for name in sorted(names, key=lambda name: (plain[name] != name, name)):
        short = plain[name]
        if short.lower() in {other.lower() for other in taken.values()}:
            short = f"{short}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        taken[name] = short
    return taken


class Steps:
    """Integer steps for relative tolerances: step = k · (−log10 rtol), rounded.

    k is the smallest number of steps a decade that keeps all tolerances apart, so that the usual
    one tolerance a decade has step 6 for 1e-6.

    Parameters
    ----------
    tolerances
        Every relative tolerance that is logged in an experiment.
    """

    def __init__(self, tolerances: Iterable[float]) -> None:
        decades = sorted({-math.log10(rtol) for rtol in tolerances if 0 < rtol < math.inf})
        for per_decade in (1, 2, 4, 5, 10, 20, 50, 100, 1000, 10**6):
            if len({round(per_decade * decade) for decade in decades}) == len(decades):
                break
        self.per_decade = per_decade

    def __call__(self, rtol: float) -> int:
        """The step of one relative tolerance."""
        return round(-math.log10(rtol) * self.per_decade)
