"""Results of extended precision, rounded to float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradaudit.records.results import Hit


def in_float64(hit: Hit) -> Hit:
    """An event rounded from any precision."""

    def rounded(values: Any) -> Any:
        return np.vectorize(float, otypes=[np.float64])(values)

    return Hit(
        hit.name,
        float(hit.time),
        rounded(hit.slope),
        rounded(hit.state),
        rounded(hit.tangents),
        rounded(hit.rate),
    )
