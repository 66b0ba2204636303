"""Log-likelihoods in closed form, with their gradients, to compare certified ones with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

DIGITS = 11.0


def closed_form(function: Callable[..., Any], values: list[str], scales: list[str]) -> Any:
    """The value, and the gradient on the scales, of a log-likelihood, in 50 digits."""
    with mpmath.workdps(50):
        point = [mpmath.mpf(float(value)) for value in values]
        gradient = []
        for k, scale in enumerate(scales):
            factor = {"lin": 1, "log": point[k], "log10": point[k] * mpmath.log(10)}[scale]
            own = mpmath.diff(lambda x, k=k: function(*point[:k], x, *point[k + 1 :]), point[k])
            gradient.append(own * factor)
        return function(*point), gradient


def density(measured: float, h: Any, s: Any, scale: str = "lin", laplace: bool = False) -> Any:
    """As PEtab defines it."""
    log = {"lin": lambda x: x, "log": mpmath.log, "log10": mpmath.log10}[scale]
    jacobian = {"lin": 1, "log": 1, "log10": mpmath.log(10)}[scale]
    jacobian = jacobian if scale == "lin" else jacobian * measured
    r = (log(mpmath.mpf(measured)) - log(h)) / s
    if laplace:
        return -mpmath.log(2 * s * jacobian) - abs(r)
    return -mpmath.log(2 * mpmath.pi * (s * jacobian) ** 2) / 2 - r**2 / 2


def assert_certified(found: Any, value: Any, gradient: Any) -> None:
    assert found.status == "ok"
    assert abs(found.value - value) <= found.value_bound
    wrong = np.array([float(abs(g - e)) for g, e in zip(found.gradient, gradient, strict=True)])
    # an honest bound is not below the error, and the claimed digits are the bound's
    assert np.all(wrong <= found.bounds)
    assert float(found.digits) >= DIGITS


EXCHANGE = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">
<model id="exchange">
<listOfCompartments><compartment id="cell" size="1" constant="true"/></listOfCompartments>
<listOfSpecies>
<species id="A" compartment="cell" initialConcentration="0" hasOnlySubstanceUnits="false"
 boundaryCondition="false" constant="false"/>
<species id="B" compartment="cell" initialConcentration="0.5" hasOnlySubstanceUnits="false"
 boundaryCondition="false" constant="false"/>
</listOfSpecies>
<listOfParameters>
<parameter id="k" value="1" constant="true"/><parameter id="back" value="1" constant="true"/>
<parameter id="a0" value="1" constant="true"/>
</listOfParameters>
<listOfInitialAssignments><initialAssignment symbol="A">
<math xmlns="http://www.w3.org/1998/Math/MathML"><ci>a0</ci></math>
</initialAssignment></listOfInitialAssignments>
<listOfReactions><reaction id="r" reversible="true">
<listOfReactants><speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants>
<listOfProducts><speciesReference species="B" stoichiometry="1" constant="true"/></listOfProducts>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><minus/>
<apply><times/><ci>k</ci><ci>A</ci></apply><apply><times/><ci>back</ci><ci>B</ci></apply>
</apply></math></kineticLaw></reaction></listOfReactions>
</model></sbml>
"""
"""A and B in exchange, with the rates k and back."""


def resting(k, back, total):
    """B at rest."""
    return k * total / (k + back)


def relaxed(k, back, a, b, t):
    """A and B at t."""
    rest = resting(k, back, a + b)
    at = rest + (b - rest) * mpmath.exp(-(k + back) * t)
    return a + b - at, at
