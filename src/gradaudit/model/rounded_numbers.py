"""Numbers in double precision that must have been rounded to single precision before."""

from __future__ import annotations

from typing import Any

import numpy as np


def from_float32(values: Any) -> np.ndarray:
    """Those of float64 `values` that must have been float32: 0.10000000149011612 is 0.1 there.

    They fit in 24 bits, but in no fewer than 18, and take more than 12 decimal digits to write. So
    1.5, 1e6 and 2**-40 are none of them.
    """
    values = np.atleast_1d(np.asarray(values))
    if values.dtype != np.float64:
        return np.empty(0)
    values = values[np.isfinite(values)].ravel()
    with np.errstate(over="ignore"):
        values = values[values.astype(np.float32) == values]
    mantissa = np.frexp(values)[0] * 2.0**17
    values = values[mantissa != np.rint(mantissa)]
    return np.array([v for v in values if float(f"{v:.12g}") != v])
