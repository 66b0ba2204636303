"""`load_sbml`: an SBML file as a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import libsbml
import numpy as np

import gradaudit.backend.jax_setup  # noqa: F401
from gradaudit.errors import ModelError
from gradaudit.model.definition import Model
from gradaudit.model.sbml.document import read
from gradaudit.model.sbml.equations import Lookup, initial_state, vector_field
from gradaudit.model.sbml.events import jumps, switches, triggers
from gradaudit.model.sbml.selection import nominal, with_parameters
from gradaudit.model.sbml.symbols import collect
from gradaudit.model.sbml.system import System, classify
from gradaudit.model.sbml.units import reference_text

DEFAULT_T_END = 100.0
"""SBML has no window; this one is in the model's unit of time."""


@dataclass(frozen=True)
class Translation:
    """A model, and the quantities of the file that it was read from.

    Attributes
    ----------
    model
        The initial value problem.
    system
        All quantities by id, states or not.
    """

    model: Model
    system: System

    def lookup(self, t: Any, y: Any, p: Any) -> Callable[[str], Any]:
        """What formulas of the file mean by each id at a point, rules included."""
        return Lookup(self.system, t, y, p)


def load_sbml(
    path: str | Path, *, t_end: float = DEFAULT_T_END, fixed: Iterable[str] = ()
) -> Model:
    """The initial value problem of a model in SBML, any level and version.

    States are the species that change, as concentrations or amounts as the file has them, and what
    else has a rate or is assigned to by an event. Parameters are all numbers that never change and
    that something depends on: global and local parameters, sizes of compartments, constant species.

    Parameters
    ----------
    path
        The file.
    t_end
        End of the window, in the unit of time of the file.
    fixed
        Parameters that stay the numbers that they are: their sensitivities are not computed.

    Raises
    ------
    ModelError
        If the file is no valid SBML, or has an element that is not supported; it is named.
    """
    return translate(path, t_end=t_end, fixed=fixed).model


def translate(
    path: str | Path, *, t_end: float = DEFAULT_T_END, fixed: Iterable[str] = ()
) -> Translation:
    """As `load_sbml`, with the values of all quantities of the file."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise ModelError(f"the file {path} does not exist (looked for in {Path.cwd()}).")
    document, model = read(path)
    try:
        return _translation(model, path, t_end, set(fixed))
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    finally:
        del document  # lives as long as its model is read


def _translation(model: Any, path: Path, t_end: float, fixed: set[str]) -> Translation:
    found = triggers(model)
    symbols = collect(model)
    jumping = {name for trigger in found for name in trigger.assignments}
    system = classify(symbols, jumping)
    _check_jumps(system, jumping)
    system = with_parameters(system, {n for trigger in found for n in trigger.names}, fixed)
    p = nominal(system)
    start = initial_state(system)
    y0 = np.asarray(start(p))
    rates = vector_field(system)
    jax.eval_shape(rates, 0.0, y0, p)  # what has no value is told here, by its name
    depends = set().union(
        *(system.closure(system.start_names(s), at_start=True) for s in system.states)
    )
    problem = Model(
        name=_name(model.getId() or path.stem),
        vector_field=rates,
        states={
            name: (float(value), system.unit(name))
            for name, value in zip(system.states, y0, strict=True)
        },
        parameters={
            name: (float(symbols[name].number), system.unit(name)) for name in system.parameters
        },
        t_end=t_end,
        time_unit=reference_text(model, model.getTimeUnits()),
        initial_state=start if depends & set(system.parameters) else None,
        events={**switches(system, found), **jumps(system, found, p)},
        axes={"t_end": (float(t_end),)},
        description=model.getName(),
        citation=_citation(model),
    )
    return Translation(problem, system)


def _check_jumps(system: System, jumping: set[str]) -> None:
    for name in system.states:
        symbol = system.symbols[name]
        if symbol.rate is not None and symbol.volume in jumping:
            raise ModelError(
                f"an event changes the size of compartment {symbol.volume!r}, and the species "
                f"{name!r} in it has a rate rule; this is not supported."
            )


def _name(given: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", given)
    return name if name[:1].isalpha() else f"model_{name}"


def _citation(model: Any) -> str:
    """Where the annotation says that the model is described."""
    uris = []
    for index in range(model.getNumCVTerms()):
        term = model.getCVTerm(index)
        if (
            term.getQualifierType() == libsbml.MODEL_QUALIFIER
            and term.getModelQualifierType() == libsbml.BQM_IS_DESCRIBED_BY
        ):
            uris += [term.getResourceURI(i) for i in range(term.getNumResources())]
    return ", ".join(uris)
