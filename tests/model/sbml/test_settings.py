"""Other values and parameters than those of the file, in Python and by the name of a model."""

import numpy as np
import pytest

from gradaudit import ModelError, load_model
from gradaudit.model.sbml import load_sbml


@pytest.fixture
def cell(write, x):
    """S' = -k l S from S(0) = 3, in a compartment of size 2."""
    decay = x.reaction("decay", "c * k * l * S", reactants=[("S", 1)])
    return write(Species=x.S, Parameters=x.K + x.parameter("l", 2.0), Reactions=decay)


def test_values_and_initial_values_are_set_by_id(cell):
    model = load_sbml(cell, values={"k": 0.25, "S": 7.0}, t_end=4.0)
    assert model.parameters["k"][0] == 0.25
    assert model.states["S"][0] == 7.0
    rate = model.vector_field(0.0, np.array([7.0]), np.array(model.nominal))
    assert float(rate[0]) == pytest.approx(-0.25 * 2.0 * 7.0)


def test_only_the_parameters_that_are_named_are_differentiated(cell):
    model = load_sbml(cell, only=["l", "S"])
    assert list(model.parameters) == ["l", "S(0)"]
    assert model.initial_state is not None
    assert float(model.initial_state(np.array([2.0, 5.0]))[0]) == 5.0


def test_the_name_of_a_model_says_the_same(cell):
    model = load_model(f"{cell}@t_end=4,k=0.25,only=k")
    assert (model.t_end, dict(model.parameters)["k"][0]) == (4.0, 0.25)
    assert list(model.parameters) == ["k"]
    assert model.name.endswith("@t_end=4,k=0.25,only=k")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"values": {"kk": 1.0}}, "the model has no 'kk' (did you mean 'k'?)"),
        ({"values": {"k": "fast"}}, "'k' cannot be set to 'fast': that is no number"),
        ({"values": {"k": None}}, "'k' cannot be set to None: that is no number"),
        ({"only": ["k", "kk"]}, "only has 'kk', which the file does not have (did you mean 'k'?)"),
        ({"only": []}, "only is empty"),
        ({"only": ["decay"]}, "nothing depends on them, or they change with time by a rule"),
    ],
)
def test_what_the_file_does_not_have_is_refused_by_name(cell, settings, message):
    with pytest.raises(ModelError) as error:
        load_sbml(cell, **settings)
    assert message in str(error.value)
    assert str(cell) in str(error.value)


def test_a_setting_that_cannot_be_read_is_refused(cell):
    with pytest.raises(ModelError, match="'k=fast' has no finite number"):
        load_model(f"{cell}@k=fast")
