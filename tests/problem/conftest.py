"""A PEtab problem that a test writes: A' = -k A, whose solution is A(0) exp(-k t)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4">
<model id="decay">
<listOfCompartments><compartment id="cell" size="2"/></listOfCompartments>
<listOfSpecies>
<species id="A" compartment="cell" initialConcentration="3"/>
<species id="B" compartment="cell" initialAmount="1"/>
</listOfSpecies>
<listOfParameters>
<parameter id="k" value="0.1"/><parameter id="a0" value="3"/>
<parameter id="total" constant="false"/><parameter id="gain" value="2"/>
</listOfParameters>
<listOfInitialAssignments><initialAssignment symbol="A">
<math xmlns="http://www.w3.org/1998/Math/MathML"><ci>a0</ci></math>
</initialAssignment></listOfInitialAssignments>
<listOfRules><assignmentRule variable="total">
<math xmlns="http://www.w3.org/1998/Math/MathML">
<apply><times/><ci>gain</ci><apply><plus/><ci>A</ci><ci>B</ci></apply></apply></math>
</assignmentRule></listOfRules>
<listOfReactions><reaction id="loss" reversible="false">
<listOfReactants><speciesReference species="A"/></listOfReactants>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML">
<apply><times/><ci>cell</ci><ci>k</ci><ci>A</ci></apply></math></kineticLaw>
</reaction></listOfReactions>
</model></sbml>
"""

TABLES: dict[str, list[str]] = {
    "parameters": [
        "parameterId parameterScale lowerBound upperBound nominalValue estimate",
        "k log10 1e-3 1e2 0.5 1",
    ],
    "conditions": ["conditionId a0", "c 2"],
    "observables": ["observableId observableFormula noiseFormula", "o A 0.5"],
    "measurements": [
        "observableId simulationConditionId time measurement",
        "o c 0 1.5",
        "o c 2 1",
    ],
}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a problem with some tables of its own, cells apart by blanks, "_" for empty ones."""
    return writer(tmp_path)


def writer(folder: Path) -> Write:
    """What writes a problem into a folder."""

    def written(*, yaml: str | None = None, **tables: Any) -> Path:
        for name, lines in {**TABLES, **tables}.items():
            cells = ["\t".join("" if c == "_" else c for c in line.split()) for line in lines]
            (folder / f"{name}.tsv").write_text("\n".join(cells) + "\n", encoding="utf-8")
        (folder / "model.xml").write_text(SBML, encoding="utf-8")
        path = folder / "problem.yaml"
        path.write_text(
            yaml
            or "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n"
            "- condition_files: [conditions.tsv]\n  measurement_files: [measurements.tsv]\n"
            "  observable_files: [observables.tsv]\n  sbml_files: [model.xml]\n"
            "  visualization_files: [not_there.tsv]\n",
            encoding="utf-8",
        )
        return path

    return written
