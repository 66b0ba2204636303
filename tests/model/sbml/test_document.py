"""Reading an SBML file: converted to Level 3 Version 2, or refused by the name of what is wrong."""

import pytest

from gradaudit import ModelError
from gradaudit.model.sbml.document import elements, read


def test_local_parameters_are_promoted_and_functions_expanded(write, x):
    local = '<localParameter id="k" value="0.5"/>'
    function = (
        '<functionDefinition id="twice"><math xmlns="http://www.w3.org/1998/Math/MathML"><lambda>'
        "<bvar><ci>a</ci></bvar><apply><times/><cn>2</cn><ci>a</ci></apply></lambda></math>"
        "</functionDefinition>"
    )
    decay = x.reaction("decay", "c * k * twice(S)", reactants=[("S", 1)], local=local)
    path = write(FunctionDefinitions=function, Species=x.S, Reactions=decay)
    document, model = read(path)
    assert (document.getLevel(), document.getVersion()) == (3, 2)
    assert model.getNumFunctionDefinitions() == 0
    (parameter,) = elements(model.getListOfParameters())
    assert parameter.getValue() == 0.5
    (reaction,) = elements(model.getListOfReactions())
    assert reaction.getKineticLaw().getNumLocalParameters() == 0


def message(path):
    with pytest.raises(ModelError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: ")
    return str(error.value).removeprefix(f"{path}: ")


def test_a_file_that_is_no_xml_is_refused_with_its_line(tmp_path):
    path = tmp_path / "text.xml"
    path.write_text("no xml\n")
    assert message(path).startswith("not readable as SBML: line 1: ")


def test_a_file_without_a_model_is_refused(tmp_path):
    path = tmp_path / "empty.xml"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"/>'
    )
    assert message(path) == "the file has no model."


def test_an_inconsistent_file_is_refused(write, x):
    path = write(Species=x.S, Parameters=x.K + x.K, Reactions=x.DECAY)
    path.write_text(path.read_text().replace('"1.0"?>', '"1.0" encoding="UTF-8"?>', 1))
    found = message(path)
    assert found.startswith("not valid SBML: line ")
    assert "'k'" in found
