"""Models that may come to rest, for the tests of steady states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradaudit import Model


def model(field: Callable[..., Any], start: list[float], values: list[float], **more: Any) -> Model:
    return Model(
        name="rests",
        vector_field=field,
        states={f"s{i}": (value, "") for i, value in enumerate(start)},
        parameters={f"q{j}": (value, "") for j, value in enumerate(values)},
        t_end=10.0,
        **more,
    )
