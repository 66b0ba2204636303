"""From a raw estimate of the error to a calibrated one, with the spread known from the atlas."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import jax.numpy as jnp

from gradaudit.analysis.calibration.score import scores

SCORES = {True: "propagated", "probe": "probed"}
"""The score by how the error is propagated; the cheap indicator alone has none."""


class Likely(NamedTuple):
    """A relative error: its median, and bounds for it.

    The bounds held in 90 % of the known cases of such a solve.
    `margin` is the share of a wanted error from which on there is an alarm, so that no more than
    1 % of the bad gradients of the known cases are let through.
    """

    median: Any
    low: Any
    high: Any
    margin: float


def calibrated(raw: Any, propagate: bool | Literal["probe"], limit: Any = 0) -> Likely:
    """What a raw relative error, a scalar, tells; as it is where there is no score for it.

    `limit` says what limits the steps: an index in `gradaudit.analysis.calibration.stepping`.
    """
    score = scores().get(SCORES.get(propagate, ""))
    if score is None:
        return Likely(raw, raw, raw, 1.0)
    (feature,) = score.features
    line = score.predict({feature: raw}, jnp)

    def error(exponent: Any) -> Any:
        # 0 stays 0, as for a Jacobian that is 0 and known to be
        return jnp.where(raw == 0, 0.0, 10.0 ** jnp.minimum(exponent, 0.0))

    margin = min(1.0, 10.0**score.threshold / score.bound)
    low, high = score.interval(line, limit, jnp)
    return Likely(error(line), error(low), error(high), margin)
