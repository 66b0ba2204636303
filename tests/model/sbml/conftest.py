"""Small SBML files from their parts; formulas are written in infix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import libsbml
import numpy as np
import pytest

from gradaudit import Model
from gradaudit.model.sbml import load_sbml

LISTS = (
    "FunctionDefinitions", "UnitDefinitions", "Compartments", "Species", "Parameters",
    "InitialAssignments", "Rules", "Constraints", "Reactions", "Events",
)  # fmt: skip
CELL = '<compartment id="c" size="2" spatialDimensions="3" constant="true"/>'


def mathml(formula: str) -> str:
    """Infix to MathML."""
    tree = libsbml.parseL3Formula(formula)
    assert tree is not None, libsbml.getLastParseL3Error()
    return libsbml.writeMathMLToString(tree).split("?>", 1)[-1]


def parameter(name: str, value: float | None = None, *, constant: bool = True) -> str:
    number = "" if value is None else f'value="{value}"'
    return f'<parameter id="{name}" {number} constant="{str(constant).lower()}"/>'


def species(name: str, given: str = 'initialConcentration="3"', **flags: bool) -> str:
    words = {"hasOnlySubstanceUnits": False, "boundaryCondition": False, "constant": False} | flags
    attributes = " ".join(f'{key}="{str(value).lower()}"' for key, value in words.items())
    return f'<species id="{name}" compartment="c" {given} {attributes}/>'


def rate_rule(name: str, formula: str) -> str:
    return f'<rateRule variable="{name}">{mathml(formula)}</rateRule>'


def assignment_rule(name: str, formula: str) -> str:
    return f'<assignmentRule variable="{name}">{mathml(formula)}</assignmentRule>'


def initial_assignment(name: str, formula: str) -> str:
    return f'<initialAssignment symbol="{name}">{mathml(formula)}</initialAssignment>'


def reaction(
    name: str, law: str, *, reactants=(), products=(), modifiers=(), local: str = ""
) -> str:
    """Reactants and products are (species, stoichiometry)."""

    def side(kind: str, entries) -> str:
        references = "".join(
            f'<speciesReference species="{s}" stoichiometry="{n}" constant="true"/>'
            for s, n in entries
        )
        return f"<listOf{kind}>{references}</listOf{kind}>" if references else ""

    parameters = f"<listOfLocalParameters>{local}</listOfLocalParameters>" if local else ""
    others = "".join(f'<modifierSpeciesReference species="{s}"/>' for s in modifiers)
    others = f"<listOfModifiers>{others}</listOfModifiers>" if others else ""
    return (
        f'<reaction id="{name}" reversible="false">{side("Reactants", reactants)}'
        f"{side('Products', products)}{others}"
        f"<kineticLaw>{mathml(law)}{parameters}</kineticLaw></reaction>"
    )


def event(name: str, trigger: str, more: str = "", **assignments: str) -> str:
    changed = "".join(
        f'<eventAssignment variable="{v}">{mathml(f)}</eventAssignment>'
        for v, f in assignments.items()
    )
    return (
        f'<event id="{name}" useValuesFromTriggerTime="true">'
        f'<trigger initialValue="true" persistent="true">{mathml(trigger)}</trigger>{more}'
        f"<listOfEventAssignments>{changed}</listOfEventAssignments></event>"
    )


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """A file of Level 3 Version 2 from the contents of its lists."""

    def make(**lists: str) -> Path:
        parts = {"Compartments": CELL} | lists
        body = "".join(
            f"<listOf{kind}>{parts[kind]}</listOf{kind}>" for kind in LISTS if kind in parts
        )
        path = tmp_path / "small.xml"
        path.write_text(
            '<?xml version="1.0"?><sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" '
            f'level="3" version="2"><model id="small">{body}</model></sbml>'
        )
        return path

    return make


@pytest.fixture
def load(write: Callable[..., Path]) -> Callable[..., Model]:
    def make(fixed=(), executions: int = 2, only=None, **lists: str) -> Model:
        path = write(**lists)
        return load_sbml(path, t_end=10.0, fixed=fixed, executions=executions, only=only)

    return make


def rates(model: Model, y=None, p=None, t: float = 0.0) -> np.ndarray:
    y = model.declared_state if y is None else np.asarray(y, dtype=float)
    p = model.nominal if p is None else np.asarray(p, dtype=float)
    return np.asarray(model.vector_field(t, y, p))


S, K = species("S"), parameter("k", 0.5)
DECAY = reaction("decay", "c * k * S", reactants=[("S", 1)])


@pytest.fixture(scope="session")
def x() -> SimpleNamespace:
    """The parts that files are made of."""
    parts = (
        mathml, parameter, species, rate_rule, assignment_rule, initial_assignment, reaction,
        event, rates,
    )  # fmt: skip
    return SimpleNamespace(**{p.__name__: p for p in parts}, S=S, K=K, DECAY=DECAY, CELL=CELL)
