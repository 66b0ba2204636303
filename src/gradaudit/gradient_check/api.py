"""`check_gradient`: one call for functions, models and estimation problems."""

from __future__ import annotations

import threading
from typing import Any

from gradaudit.errors import SettingError
from gradaudit.gradient_check.functions import check_function
from gradaudit.gradient_check.result import GradientCheck

ACCURACY = 1e-2
_one_at_a_time = threading.RLock()


def check_gradient(
    fun: Any,
    p: Any = None,
    gradient: Any = None,
    *,
    accuracy: float = ACCURACY,
    directions: int | None = None,
    seed: int = 0,
) -> GradientCheck:
    """Whether a gradient is that of the exact solution's function: passed, failed, inconclusive.
    """
    if not 0.0 < accuracy < 1.0:
        raise SettingError(f"accuracy is {accuracy!r}; it must lie between 0 and 1.")
    with _one_at_a_time:
        return check_function(
            fun, p, gradient, accuracy=accuracy, count=directions, seed=seed
        )
