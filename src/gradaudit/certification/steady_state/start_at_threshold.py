"""A start at a threshold that parameters move: the way to the steady state has no derivative.

A small change of a parameter decides on which side of the threshold the dynamics begin, and so
which steady state they reach.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradaudit.errors import ModelError
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state

ROUNDING = 1e-14
"""Of the terms of a threshold: a value that is no larger is zero."""


def refuse_start_at_threshold(model: Model) -> None:
    """Refuse if a switch is at its threshold at t = 0 and a parameter moves it away.

    Raises
    ------
    ModelError
        With the switch and the parameter.
    """
    p = jnp.asarray(model.nominal)
    for name, event in model.events.items():
        if event.jump is not None:
            continue

        def when(q: Any, event: Any = event) -> Any:
            return jnp.asarray(event.when(0.0, initial_state(model, q), q)).reshape(())

        value, slope = float(when(p)), np.asarray(jax.grad(when)(p))
        if np.any(slope != 0.0) and abs(value) <= ROUNDING * np.abs(slope * model.nominal).sum():
            parameter = list(model.parameters)[int(np.argmax(np.abs(slope)))]
            raise ModelError(
                f"the way to the steady state begins at the threshold {name!r}, which depends on "
                f"{parameter!r}, so that derivatives are one-sided. Change a value a little."
            )
