"""Steady states before a simulation, and how another solve begins with one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.steady_state import SteadyState
from gradaudit.model.sbml.importer import Translation
from gradaudit.model.sbml.system import System
from gradaudit.problem.definition import Source

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rest:
    """A steady state of a problem's model.

    Attributes
    ----------
    translation, steady
        The model, and the certified steady state.
    parameters
        For each parameter of the model the estimated parameter that it is, None for none.
    """

    translation: Translation
    steady: SteadyState
    parameters: tuple[str | None, ...]

    @property
    def acting(self) -> tuple[str, ...]:
        """The estimated parameters of the model."""
        return tuple(dict.fromkeys(name for name in self.parameters if name is not None))


def carriers(
    rest: Rest, sources: Mapping[str, Source], occupied: Collection[str]
) -> dict[str, str]:
    """For each estimated parameter of a rest the id that carries it in the next model.

    It is one that the model takes from it, or else its own name, as a constant to be added. If
    that name is `occupied`, by a quantity to which the condition gives another value, the constant
    has a longer name.
    """
    taken: dict[str, str] = {}
    for name, source in sources.items():
        if isinstance(source, str):
            taken.setdefault(source, name)

    def free(name: str) -> str:
        while name in occupied:
            name += "_before"
        return name

    return {name: taken.get(name) or free(name) for name in rest.acting}


def begins_with(
    rest: Rest, carried: Mapping[str, str], kept: Collection[str]
) -> Callable[[System, Callable[[Any], Any]], Callable[[Any], Any]]:
    """The start of a model at a steady state, as a function of its parameters.

    The state is linear in the parameters, with the sensitivities as slopes, so that its value and
    its first derivatives are right. All numbers are sums of three float64, which every precision
    adds up exactly.

    Parameters
    ----------
    carried
        From `carriers`.
    kept
        States that keep the initial values of the next model.
    """

    def start(system: System, declared: Callable[[Any], Any]) -> Callable[[Any], Any]:
        before = rest.translation.layout.system.states
        rows = [before.index(name) if name in before else -1 for name in system.states]
        moved = np.array(
            [r >= 0 and n not in kept for r, n in zip(rows, system.states, strict=True)]
        )
        columns = [j for j, name in enumerate(rest.parameters) if name is not None]
        positions = [
            system.parameters.index(carried[name]) for name in rest.parameters if name is not None
        ]
        at = np.array([float(system.symbols[system.parameters[k]].number) for k in positions])
        values = np.where(moved, rest.steady.pieces[:, rows], 0.0)
        slopes = rest.steady.slope_pieces[:, rows][:, :, columns] * moved[:, None]

        def begin(p: Any) -> Any:
            own = jnp.where(moved, 0.0, declared(p)) if not moved.all() else 0.0
            found = own + jnp.asarray(values[0])
            if positions:
                away = jnp.stack([p[k] for k in positions]) - at
                found = found + jnp.asarray(slopes[0]) @ away
            for piece in (1, 2):
                found = found + jnp.asarray(values[piece])
                if positions:
                    found = found + jnp.asarray(slopes[piece]) @ away
            return found

        return begin

    return start
