"""Units of libSBML as short texts: nmol/L, 1/s, mol^2/(L^2 s)."""

from __future__ import annotations

import math
from typing import Any

import libsbml

_SYMBOLS = {
    "mole": "mol",
    "litre": "L",
    "liter": "L",
    "second": "s",
    "metre": "m",
    "meter": "m",
    "gram": "g",
    "kilogram": "kg",
    "kelvin": "K",
    "ampere": "A",
    "volt": "V",
    "farad": "F",
    "siemens": "S",
    "joule": "J",
    "coulomb": "C",
    "newton": "N",
    "pascal": "Pa",
    "watt": "W",
    "hertz": "Hz",
    "katal": "kat",
    "ohm": "ohm",
}
_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
_TIMES = {60.0: "min", 3600.0: "h", 86400.0: "d"}


def unit_text(definition: Any) -> str:
    """A UnitDefinition as text; "1" where it is dimensionless, "" where units are not given."""
    if definition is None or definition.getNumUnits() == 0:
        return ""
    above: list[str] = []
    below: list[str] = []
    factor = 1.0
    for index in range(definition.getNumUnits()):
        unit = definition.getUnit(index)
        exponent = unit.getExponentAsDouble()
        size = unit.getMultiplier() * 10.0 ** unit.getScale()
        kind = libsbml.UnitKind_toString(unit.getKind())
        if kind in ("dimensionless", "(Invalid UnitKind)") or exponent == 0.0:
            factor *= size**exponent
            continue
        symbol, power = _symbol(kind, size), abs(exponent)
        text = symbol if power == 1.0 else f"{symbol}^{power:g}"
        (above if exponent > 0.0 else below).append(text)
    if not math.isclose(factor, 1.0):
        above.insert(0, f"{factor:g}")
    top = " ".join(above) or "1"
    if not below:
        return top
    return f"{top}/{below[0]}" if len(below) == 1 else f"{top}/({' '.join(below)})"


def reference_text(model: Any, reference: str) -> str:
    """A unit named in an attribute, such as ``timeUnits``: a definition, or a kind of unit."""
    definition = model.getUnitDefinition(reference) if reference else None
    return unit_text(definition) if definition is not None else _SYMBOLS.get(reference, reference)


def _symbol(kind: str, size: float) -> str:
    symbol = _SYMBOLS.get(kind, kind)
    if kind == "second" and size in _TIMES:
        return _TIMES[size]
    exponent = math.log10(size) if size > 0.0 else math.nan
    if math.isfinite(exponent) and math.isclose(exponent, round(exponent), abs_tol=1e-9):
        prefix = _PREFIXES.get(round(exponent))
        if prefix is not None:
            return f"{prefix}{symbol}"
    return f"({size:g} {symbol})"
