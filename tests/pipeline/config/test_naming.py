"""Names of a configuration that a type cannot check."""

import pytest

from gradaudit.errors import SettingError
from gradaudit.pipeline.config.naming import check_names
from gradaudit.pipeline.config.reading import study_of

VALID = {"models": ["logistic"], "solvers": {"tsit5": {}}, "methods": ["forward_ad"]}


def test_valid_names_pass():
    check_names(study_of({**VALID, "experiment": {"models": []}}))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"solvers": {"tsit6": {}}}, r"solvers\.tsit6: .*'tsit6'"),
        ({"methods": ["forward_at"]}, "methods: .*'forward_at'"),
        ({"estimate": ["forward_at"]}, "estimate: .*'forward_at'"),
        ({"solvers": {"tsit5": {"methods": ["no"]}}}, r"solvers\.tsit5\.methods: .*'no'"),
        ({"functionals": {"kinds": ["terminall"]}}, r"functionals\.kinds: .*'terminall'"),
        ({"sweep": {"models": ["logistic"], "solver": "no"}}, r"sweep\.solver: .*'no'"),
        ({"experiment": {"models": ["logistic"], "solver": "no"}}, r"experiment\.solver: .*'no'"),
        ({"solvers": {"tsit5": {"models": ["liu_neuron"]}}}, r"solvers\.tsit5\.models"),
        ({"models": ["logistik"]}, "'?logistik'?"),
    ],
    ids=str,
)
def test_a_name_that_does_not_exist_is_refused_with_its_key(change, where):
    with pytest.raises(SettingError, match=where):
        check_names(study_of({**VALID, **change}))


def test_the_solver_of_an_experiment_without_models_is_not_looked_at():
    check_names(study_of({**VALID, "sweep": {"models": [], "solver": "no"}}))


def test_a_solver_without_error_estimate_needs_its_steps():
    with pytest.raises(SettingError) as error:
        check_names(study_of({**VALID, "solvers": {"tsit5": {}, "euler": {}}}))
    assert str(error.value) == (
        "solvers.euler: this solver takes equal steps only; say how many it is to take at the "
        "loosest tolerance, for example steps: 100."
    )
    check_names(study_of({**VALID, "solvers": {"euler": {"steps": 100}}}))


def test_a_model_without_any_solver_is_refused():
    models, solvers = ["logistic", "van_der_pol"], {"tsit5": {"models": ["logistic"]}}
    with pytest.raises(SettingError) as error:
        check_names(study_of({**VALID, "models": models, "solvers": solvers}))
    assert str(error.value) == "solvers: no entry is for the model 'van_der_pol'; add one."


def test_tolerances_in_the_wrong_order_are_refused():
    with pytest.raises(SettingError, match="is above loosest"):
        check_names(study_of({**VALID, "tolerances": {"loosest": 1.0e-6, "tightest": 1.0e-3}}))
