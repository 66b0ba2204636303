"""Which numbers of a file become parameters."""

import numpy as np
import pytest

from gradaudit import ModelError
from gradaudit.errors import ModelWarning
from gradaudit.model.sbml.document import read
from gradaudit.model.sbml.selection import Choice, nominal, with_parameters
from gradaudit.model.sbml.symbols import collect
from gradaudit.model.sbml.system import classify


@pytest.fixture
def selected(write):
    """The system of a file with its parameters."""

    def select(*, watched=(), fixed=(), **lists):
        document, model = read(write(**lists))
        system = classify(collect(model), ())
        del document
        return with_parameters(system, watched, Choice(set(fixed)))

    return select


def test_parameters_are_what_the_rates_need_with_their_values(selected, x):
    numbers = x.K + x.parameter("idle", 7.0)
    system = selected(Species=x.S, Parameters=numbers, Reactions=x.DECAY)
    assert system.parameters == ("k",)
    np.testing.assert_array_equal(nominal(system), [0.5])


def test_what_an_event_looks_at_is_needed_as_well(selected, x):
    numbers = x.K + x.parameter("threshold", 7.0)
    system = selected(watched={"threshold"}, Species=x.S, Parameters=numbers, Reactions=x.DECAY)
    assert system.parameters == ("k", "threshold")


def test_a_number_that_is_fixed_is_no_parameter(selected, x):
    numbers = x.K + x.parameter("l", 2.0)
    decay = x.reaction("decay", "c * k * l * S", reactants=[("S", 1)])
    system = selected(fixed={"l"}, Species=x.S, Parameters=numbers, Reactions=decay)
    assert system.parameters == ("k",)


def test_a_name_that_cannot_be_fixed_is_refused_with_the_parameters(selected, x):
    with pytest.raises(ModelError) as error:
        selected(fixed={"S", "no"}, Species=x.S, Parameters=x.K, Reactions=x.DECAY)
    assert str(error.value) == (
        "fixed has 'S', 'no', which are no parameters; the parameters are 'k'."
    )


def test_a_parameter_without_a_value_is_refused(selected, x):
    with pytest.raises(ModelError) as error:
        selected(Species=x.S, Parameters=x.parameter("k"), Reactions=x.DECAY)
    assert str(error.value) == (
        "parameter 'k' has no finite value, and the equations need it; set one in the file."
    )


def test_initial_values_are_parameters_where_there_are_no_others(selected, x):
    decay = x.reaction("decay", "c * 2 * S", reactants=[("S", 1)])
    assert selected(Species=x.S, Reactions=decay).parameters == ("S",)


def test_a_whole_exponent_of_what_is_zero_at_the_start_stays_a_number(selected, x):
    numbers = x.K + x.parameter("n", 2.0) + x.parameter("m", 1.5)
    growth = x.reaction("growth", "c * (k + S^n + S^m)", products=[("S", 1)])
    empty = x.species("S", 'initialConcentration="0"')
    with pytest.warns(ModelWarning, match="'n': exponents of what is 0 at t = 0"):
        system = selected(Species=empty, Parameters=numbers, Reactions=growth)
    assert system.parameters == ("k", "m")
    system = selected(Species=x.S, Parameters=numbers, Reactions=growth)
    assert system.parameters == ("k", "n", "m")
