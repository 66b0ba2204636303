"""Where a problem's gradient is certified: at the nominal parameters, and at points drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradaudit.errors import SettingError
from gradaudit.problem.definition import Parameters

Array = NDArray[np.float64]

NOMINAL = "nominal"


def points(parameters: Parameters, *, drawn: int, seed: int) -> dict[str, Array | None]:
    """The nominal point, as None, and so many drawn ones (K,) on the estimation scale, by name.

    They are uniform between the bounds. A bound that is missing lies as far from the nominal value
    as that is from 0, and 1 at least. Beside a nominal value of 0, which has no logarithm, it lies
    1 from the other bound, or from 0.

    Raises
    ------
    SettingError
        If `drawn` or `seed` is negative.
    """
    for name, number in (("drawn", drawn), ("seed", seed)):
        if number < 0:
            raise SettingError(f"{name} is {number}; it must be at least 0.")
    nominal = parameters.nominal
    for instead in (parameters.upper, parameters.lower, np.zeros(len(parameters))):
        nominal = np.where(np.isfinite(nominal), nominal, instead)
    reach = np.maximum(np.abs(nominal), 1.0)
    lower = np.where(np.isfinite(parameters.lower), parameters.lower, nominal - reach)
    upper = np.where(np.isfinite(parameters.upper), parameters.upper, nominal + reach)
    shares = np.random.default_rng(seed).random((drawn, len(parameters)))
    found: dict[str, Array | None] = {NOMINAL: None}
    for index, share in enumerate(shares):
        found[f"drawn {index + 1}"] = lower + share * (upper - lower)
    return found
