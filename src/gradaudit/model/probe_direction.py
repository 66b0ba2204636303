"""The direction in the space of the parameters along which an error is probed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def signs(m: int) -> NDArray[np.float64]:
    """w (m,) of +1 and -1, drawn once and for all: a property of m, not of a model."""
    return np.random.default_rng(m).choice([-1.0, 1.0], m)
