"""Units of libSBML as texts."""

import libsbml
import pytest

from gradaudit.model.sbml.units import reference_text, unit_text


def definition(*units):
    """A definition from (kind, exponent, scale, multiplier)."""
    made = libsbml.UnitDefinition(3, 2)
    for kind, exponent, scale, multiplier in units:
        unit = made.createUnit()
        unit.setKind(libsbml.UnitKind_forName(kind))
        unit.setExponent(exponent)
        unit.setScale(scale)
        unit.setMultiplier(multiplier)
    return made


@pytest.mark.parametrize(
    ("units", "text"),
    [
        ([("mole", 1, -9, 1.0), ("litre", -1, 0, 1.0)], "nmol/L"),
        ([("second", -1, 0, 1.0)], "1/s"),
        ([("mole", 2, 0, 1.0), ("litre", -2, 0, 1.0), ("second", -1, 0, 1.0)], "mol^2/(L^2 s)"),
        ([("second", 1, 0, 60.0)], "min"),
        ([("second", -1, 0, 3600.0)], "1/h"),
        ([("second", 1, 0, 86400.0)], "d"),
        ([("second", 1, 0, 90.0)], "(90 s)"),
        ([("metre", 0.5, 0, 1.0)], "m^0.5"),
        ([("gram", 1, 0, 1e-6)], "ug"),
        ([("dimensionless", 1, 0, 1.0)], "1"),
        ([("dimensionless", 1, 0, 100.0), ("second", -1, 0, 1.0)], "100/s"),
        ([("dimensionless", 2, -1, 1.0)], "0.01"),
        ([("mole", 0, 0, 5.0)], "1"),
        ([("item", 1, 0, 1.0)], "item"),
    ],
)
def test_units_are_written_as_in_papers(units, text):
    assert unit_text(definition(*units)) == text


def test_units_that_are_not_given_are_empty():
    assert unit_text(None) == ""
    assert unit_text(definition()) == ""


def test_a_reference_is_a_definition_of_the_model_or_a_kind():
    document = libsbml.SBMLDocument(3, 2)
    model = document.createModel()
    own = model.createUnitDefinition()
    own.setId("per_time")
    unit = own.createUnit()
    unit.setKind(libsbml.UNIT_KIND_SECOND)
    unit.setExponent(-1)
    unit.setScale(-3)
    unit.setMultiplier(1.0)
    assert reference_text(model, "per_time") == "1/ms"
    assert reference_text(model, "litre") == "L"
    assert reference_text(model, "item") == "item"
    assert reference_text(model, "") == ""
