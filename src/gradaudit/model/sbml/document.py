"""Reading an SBML file, and what libSBML can do to make it simpler.

After `read` every model is in Level 3 Version 2, has no function definitions and no local
parameters. What cannot become an initial value problem is refused by the name of its element.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import libsbml

from gradaudit.errors import ModelError

# What would be computed wrongly if it did not hold; units and annotations are left alone.
_CHECKED = (
    libsbml.LIBSBML_CAT_GENERAL_CONSISTENCY,
    libsbml.LIBSBML_CAT_IDENTIFIER_CONSISTENCY,
    libsbml.LIBSBML_CAT_MATHML_CONSISTENCY,
    libsbml.LIBSBML_CAT_OVERDETERMINED_MODEL,
)
_NOT_CHECKED = (
    libsbml.LIBSBML_CAT_UNITS_CONSISTENCY,
    libsbml.LIBSBML_CAT_SBO_CONSISTENCY,
    libsbml.LIBSBML_CAT_MODELING_PRACTICE,
)


def read(path: Path) -> tuple[Any, Any]:
    """The document and its model; the model lives as long as the document does.

    Raises
    ------
    ModelError
        If the file is no valid SBML, or has an element that is not supported.
    """
    document = libsbml.readSBMLFromFile(str(path))
    _raise_errors(document, f"{path}: not readable as SBML")
    if document.getModel() is None:
        raise ModelError(f"{path}: the file has no model.")
    for category in _CHECKED + _NOT_CHECKED:
        document.setConsistencyChecks(category, category in _CHECKED)
    document.checkConsistency()
    _raise_errors(document, f"{path}: not valid SBML")
    if document.getPlugin("comp") is not None and document.getPackageRequired("comp"):
        _convert(document, _options("flatten comp"), f"{path}: flattening the submodels")
    _refuse_packages(document, path)
    _refuse_elements(document.getModel(), path)
    # Local parameters first: Level 3 Version 2 forbids those that hide a species, as others do not.
    for option in ("promoteLocalParameters", "expandFunctionDefinitions"):
        _convert(document, _options(option), f"{path}: libSBML's {option}")
    level = libsbml.ConversionProperties(libsbml.SBMLNamespaces(3, 2))
    level.addOption("setLevelAndVersion", True)
    level.addOption("strict", False)
    _convert(document, level, f"{path}: conversion to SBML Level 3 Version 2")
    return document, document.getModel()


def elements(collection: Any) -> list[Any]:
    """The entries of a ListOf as a list."""
    return [collection.get(index) for index in range(collection.size())]


def _raise_errors(document: Any, what: str) -> None:
    errors = [document.getError(index) for index in range(document.getNumErrors())]
    fatal = [
        e
        for e in errors
        if e.getSeverity() >= libsbml.LIBSBML_SEV_ERROR
        # XML without a declared encoding is UTF-8; SBML asks for the declaration all the same.
        and e.getErrorId() != libsbml.MissingXMLEncoding
    ]
    if fatal:
        text = " ".join(fatal[0].getMessage().split())
        more = f" ({len(fatal) - 1} more.)" if len(fatal) > 1 else ""
        raise ModelError(f"{what}: line {fatal[0].getLine()}: {text}{more}")


def _options(option: str) -> Any:
    properties = libsbml.ConversionProperties()
    properties.addOption(option, True)
    return properties


def _convert(document: Any, properties: Any, what: str) -> None:
    code = document.convert(properties)
    if code != libsbml.LIBSBML_OPERATION_SUCCESS:
        raise ModelError(f"{what} failed: {libsbml.OperationReturnValue_toString(code)}.")


def _refuse_packages(document: Any, path: Path) -> None:
    for index in range(document.getNumPlugins()):
        name = document.getPlugin(index).getPackageName()
        # libSBML lists two that are none: layouts in annotations of Level 2, and the mathematics
        # that Level 3 Version 2 added.
        if document.getLevel() < 3 or name == "l3v2extendedmath":
            continue
        if document.getPackageRequired(name):
            raise ModelError(
                f"{path}: the model needs the SBML package {name!r}, which is not supported. "
                "Export it as core SBML."
            )


def _refuse_elements(model: Any, path: Path) -> None:
    """What would be lost on the way to Level 3 Version 2, or has no meaning for y' = f(t, y, p)."""
    for reaction in elements(model.getListOfReactions()):
        if reaction.isSetFast() and reaction.getFast():
            raise ModelError(
                f"{path}: reaction {reaction.getId()!r} is fast, which makes the model "
                "differential-algebraic; this is not supported. Give it a rate."
            )
