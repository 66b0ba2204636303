"""`load_sbml`: an SBML file as a model."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libsbml
import numpy as np

import gradaudit.backend.jax_setup  # noqa: F401
from gradaudit.backend.jaxpr.recording import recorded
from gradaudit.errors import ModelError, ModelWarning
from gradaudit.model.definition import Model
from gradaudit.model.sbml.algebraic import solve_algebraic
from gradaudit.model.sbml.document import read
from gradaudit.model.sbml.equations import vector_field
from gradaudit.model.sbml.events import jumps
from gradaudit.model.sbml.experiment import Experiment, write
from gradaudit.model.sbml.formula import TIME
from gradaudit.model.sbml.layout import Layout
from gradaudit.model.sbml.lifting import lift_branches
from gradaudit.model.sbml.memory import Memory
from gradaudit.model.sbml.plans import EXECUTIONS, plans
from gradaudit.model.sbml.rate_of import add_rates
from gradaudit.model.sbml.selection import (
    Choice,
    initial_value,
    nominal,
    of_initial_value,
    with_parameters,
)
from gradaudit.model.sbml.start import Start, StartOf
from gradaudit.model.sbml.switches import check_triggers, switches
from gradaudit.model.sbml.symbols import Symbol, collect, set_values
from gradaudit.model.sbml.system import System, classify
from gradaudit.model.sbml.triggers import assigned, triggers
from gradaudit.model.sbml.units import reference_text
from gradaudit.model.shared_form import with_functions
from gradaudit.model.spec import hint

DEFAULT_T_END = 100.0
"""SBML has no window; this one is in the model's unit of time."""


@dataclass(frozen=True)
class Translation:
    """A model, and the quantities of the file that it was read from.

    Attributes
    ----------
    model
        The initial value problem.
    layout
        All quantities by id, states or not, and how y is made up.
    """

    model: Model
    layout: Layout

    def lookup(self, t: Any, y: Any, p: Any) -> Callable[[str], Any]:
        """What formulas of the file mean by each id at a point, rules included."""
        return self.layout.lookup(t, y, p)


@dataclass(frozen=True)
class Given:
    """What is used in place of what the file says, see `translate`."""

    values: Mapping[str, float]
    more: Mapping[str, float]
    start: StartOf | None


def load_sbml(
    path: str | Path,
    *,
    t_end: float = DEFAULT_T_END,
    values: Mapping[str, float] | None = None,
    only: Iterable[str] | None = None,
    fixed: Iterable[str] = (),
    executions: int = EXECUTIONS,
) -> Model:
    """The initial value problem of a model in SBML, any level and version.

    States are the species that change, as concentrations or amounts as the file has them, and what
    else has a rate or is assigned to by an event. Parameters are the global and local parameters of
    the file that never change and that something depends on. Sizes of compartments, constant
    species, and times and amounts of doses stay numbers unless `only` names them.

    Parameters
    ----------
    path
        The file.
    t_end
        End of the window, in the unit of time of the file.
    values
        Numbers by id in place of those of the file: values of parameters, initial values of
        species (as formulas mean them), initial sizes of compartments.
    only
        The parameters of the model; a species, or what else changes, stands for its initial value.
        All others stay numbers. None: as above.
    fixed
        Parameters that stay the numbers that they are: their sensitivities are not computed.
    executions
        Executions of an event with a delay that can be stored at once. A solve with more of them
        has no result.

    Raises
    ------
    ModelError
        If the file is no valid SBML, or has an element that is not supported; it is named. If
        `values` or `only` names what the file does not have, nothing depends on one of `only`, or
        one is in `fixed`, too.
    """
    wanted, fixed = None if only is None else list(only), list(fixed)
    for name in wanted or ():
        if name in fixed:
            raise ModelError(f"{path}: {name!r} is in only and in fixed; leave it out of one.")
    model = translate(
        path, t_end=t_end, fixed=fixed, executions=executions, values=values, only=wanted
    ).model
    if wanted is not None:
        _check_wanted(Path(path), model, wanted)
    return model


def _check_wanted(path: Path, model: Model, wanted: list[str]) -> None:
    """Refuse names of parameters that the model does not have."""
    present = set(model.parameters) | set(map(of_initial_value, model.parameters))
    missing = [name for name in wanted if name not in present]
    if not missing and wanted:
        return
    known = sorted(identifiers(path))
    unknown = [name for name in missing if name not in known]
    if unknown:
        raise ModelError(
            f"{path}: only has {unknown[0]!r}, which the file does not have"
            f"{hint(unknown[0], known)}."
        )
    raise ModelError(
        f"{path}: only has {missing}; nothing depends on them, or they change with time by a rule."
        if missing
        else f"{path}: only is empty; name at least one parameter, or leave it out for all."
    )


def translate(
    path: str | Path,
    *,
    t_end: float = DEFAULT_T_END,
    fixed: Iterable[str] = (),
    executions: int = EXECUTIONS,
    values: Mapping[str, float] | None = None,
    only: Iterable[str] | None = None,
    watched: Iterable[str] = (),
    more: Mapping[str, float] | None = None,
    start: StartOf | None = None,
    experiment: Experiment | None = None,
) -> Translation:
    """As `load_sbml`, with the values of all quantities of the file.

    Parameters
    ----------
    values
        Numbers by id in place of those of the file, and of its initial assignments. That of a
        species is its initial value as formulas mean it, that of a compartment its initial size.
    only
        The parameters of the model, of what `values` has; a state stands for its initial value.
        Those on which nothing depends are left out; all others stay numbers. If none is left, one
        other parameter is taken, because a model has at least one. None: all of them.
    watched
        Ids whose values are asked for later, so that what they depend on is a parameter, too.
    more
        Numbers by id that the file does not have, as constants of the model.
    start
        What the states begin with instead of their initial values, see `StartOf`.
    experiment
        Initial values and changes that are formulas.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ModelError(f"the file {path} does not exist (looked for in {Path.cwd()}).")
    document, model = read(path)
    try:
        if experiment is not None:
            write(experiment, model)
        choice = Choice(set(fixed), None if only is None else set(only), set(watched))
        given = Given(values or {}, more or {}, start)
        return _translation(model, path, t_end, choice, executions, given)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    finally:
        del document  # lives as long as its model is read


def identifiers(path: str | Path) -> frozenset[str]:
    """The ids of all quantities of an SBML file: what `translate` can set or look up.

    Raises
    ------
    ModelError
        If the file is no valid SBML, or has an element that is not supported; it is named.
    """
    document, model = read(Path(path))
    try:
        return frozenset(name for name in collect(model) if "/" not in name)
    finally:
        del document


def _translation(
    model: Any,
    path: Path,
    t_end: float,
    choice: Choice,
    executions: int,
    given: Given,
) -> Translation:
    lift_branches(model)
    found = triggers(model)
    symbols = collect(model)
    symbols |= {n: Symbol(n, "parameter", "", number) for n, number in given.more.items()}
    set_values(symbols, given.values)
    jumping = assigned(found)
    solve_algebraic(model, symbols, jumping)
    add_rates(model.toSBML(), symbols)
    system = _classified(symbols, jumping)
    watched = {name for trigger in found for name in trigger.names}
    atoms = [atom for trigger in found for atom in trigger.condition.atoms]
    compared = {name for atom in atoms if atom.equality for name in atom.names}
    timed = [own for own in found if TIME in system.closure(own.condition.names)]
    others = {name for own in found if own not in timed for name in own.names}
    dosing = {name for own in timed for name in own.names} - others
    system = with_parameters(system, watched, choice, compared, dosing)
    p = nominal(system)
    planned = plans(system, found, executions)
    auxiliary = {name: unit for plan in planned for name, unit in plan.auxiliary.items()}
    layout = Layout(system, tuple(auxiliary))
    check_triggers(layout, found)
    # What has no value is told here, by its name.
    size = layout.count + len(auxiliary)
    rates = recorded(vector_field(system, len(auxiliary)), None, size, len(p))
    begin = Start(layout, found, planned, p, given.start)
    memory = Memory(layout, planned, t_end)
    start = recorded(begin.initial_state(memory), len(p))
    time_unit = reference_text(model, model.getTimeUnits())
    units = [system.unit(name) for name in system.states]
    happening = {**switches(layout, found), **jumps(layout, planned, memory, begin.beginning.late)}
    own = {"time": time_unit, "": "1"}
    units += [own[of] if of in own else system.unit(of) for of in auxiliary.values()]
    problem = Model(
        name=_name(model.getId() or path.stem),
        vector_field=rates,
        states={
            name: (float(value), unit)
            for name, value, unit in zip(
                (*system.states, *auxiliary), np.asarray(start(p)), units, strict=True
            )
        },
        parameters={
            _parameter(system, name): (float(symbols[name].number), system.start_unit(name))
            for name in system.parameters
        },
        t_end=t_end,
        time_unit=time_unit,
        initial_state=start if given.start or _depends(system, begin) else None,
        events={
            name: with_functions(event, lambda _, own: recorded(own, None, size, len(p)))
            for name, event in happening.items()
        },
        axes={"t_end": (float(t_end),)},
        description=model.getName(),
        citation=_citation(model),
    )
    return Translation(problem, layout)


def _classified(symbols: dict[str, Symbol], jumping: set[str]) -> System:
    """The system; with a constant state of its own, where nothing changes by rates or events."""
    system = classify(symbols, jumping)
    if system.states:
        return system
    name = "constant"
    while name in symbols:
        name += "_"
    symbols[name] = Symbol(name, "parameter", "1", number=1.0, constant=False)
    warnings.warn(
        "nothing changes with time by a reaction, a rate rule or an event. The only state is "
        f"{name!r}, which is 1 at all times; sensitivities of other quantities are not computed.",
        ModelWarning,
        stacklevel=2,
    )
    return classify(symbols, {name})


def _parameter(system: System, name: str) -> str:
    """The name of a parameter of the model."""
    return initial_value(name) if name in system.states else name


def _depends(system: System, begin: Start) -> bool:
    """Whether the initial state depends on a parameter."""
    if begin.beginning.happened or begin.beginning.waiting:
        return True
    needed = (system.closure(system.start_names(s), at_start=True) for s in system.states)
    return bool(set().union(*needed) & set(system.parameters))


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
