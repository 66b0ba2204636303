"""One file per indicator of a gradient's error.

A module declares ``INDICATOR``, a `gradaudit.evaluation.indicator.Indicator`,
and is discovered in this folder. Nothing here knows the reference.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradaudit.evaluation.indicator import Indicator
from gradaudit.records.catalogue import catalogue


def indicators() -> Mapping[str, Indicator]:
    """Every indicator by its column, in the order in which they are shown."""
    return catalogue("indicators")
