"""Results of extended precision, rounded to float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradaudit.records.results import EventRecord


def in_float64(record: EventRecord) -> EventRecord:
    """An event rounded from any precision."""

    def rounded(values: Any) -> Any:
        return np.vectorize(float, otypes=[np.float64])(values)

    return EventRecord(
        record.name,
        float(record.time),
        rounded(record.slope),
        rounded(record.state),
        rounded(record.tangents),
        rounded(record.rate),
    )
