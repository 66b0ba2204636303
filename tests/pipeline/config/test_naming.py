"""Names of a configuration that a type cannot check."""

import pytest

from gradaudit.errors import SettingError
from gradaudit.model.spec import sbml_setting
from gradaudit.pipeline.config.naming import check_names
from gradaudit.pipeline.config.reading import study_of, with_folder

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


EVIL = [
    "$(touch pwned)", "a;b", "a b", "`id`", "a|b", "../../x", "..", "a/b", "a\nb", "", "-rf",
    "{model}", "<results>", "a'b", 'a"b', "*", "tsit5\n", ".hidden", "x" * 101, "n\u00e4me",
]  # fmt: skip


@pytest.mark.parametrize("key", EVIL, ids=repr)
def test_a_key_of_solvers_that_cannot_name_a_file_is_refused(key):
    with pytest.raises(SettingError, match=r"solvers: the key .* becomes the name of files"):
        check_names(study_of({**VALID, "solvers": {key: {"solver": "tsit5"}}}))


@pytest.mark.parametrize("key", ["tsit5_float32", "tsit5-1e-6", "5th+order", "a.b"])
def test_other_keys_of_solvers_are_fine(key):
    check_names(study_of({**VALID, "solvers": {key: {"solver": "tsit5"}}}))


def test_keys_of_solvers_that_some_systems_take_for_the_same_are_refused():
    with pytest.raises(SettingError, match="'tsit5' and 'TSIT5' become names of files"):
        check_names(study_of({**VALID, "solvers": {"tsit5": {}, "TSIT5": {"solver": "tsit5"}}}))


@pytest.mark.parametrize("results", ["{model}", "<logs>", "a\nb", "a\0b", "r*", "r[1]"], ids=repr)
def test_a_folder_of_results_that_would_be_a_pattern_is_refused(results):
    with pytest.raises(SettingError, match=r"results: .* cannot be the name of a folder"):
        check_names(study_of({**VALID, "results": results}))


@pytest.mark.parametrize(
    "results", ["../elsewhere", "with space/and $HOME; `x`", "/tmp/r", "r\u00e9s"]
)
def test_other_folders_of_results_are_fine(results):
    check_names(study_of({**VALID, "results": results}))


@pytest.mark.parametrize(
    "setting",
    [
        "mu=$(id)", "mu=../../x", "../x=1", "mu=nan", "mu=inf", "mu=1_0", "mu= 1", "mu=1\n",
        "a b=1", "=1", "mu=1,", "mu=\u0661",
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("model", ["van_der_pol", "file.xml"])
def test_a_setting_of_axes_that_cannot_name_a_file_is_refused(
    setting, model, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.xml").write_text("")
    with pytest.raises(
        SettingError, match=r"not a setting of an axis|has no ('|finite number)|no name and"
    ):
        check_names(study_of({**VALID, "models": [f"{model}@{setting}"]}))


OSCILLATOR = """
MODEL = Model(states={"x": (1.0, ""), "v": (0.0, "")}, parameters={"k": (2.0, "")}, t_end=1.0)
"""


def test_values_of_a_model_in_python_are_named_like_axes(tmp_path):
    """By its source, which is not run."""
    path = tmp_path / "oscillator.py"
    path.write_text(OSCILLATOR)
    for setting in ("k=3", "x=0.5,t_end=2"):
        check_names(study_of({**VALID, "models": [f"{path}@{setting}"]}))
    with pytest.raises(SettingError, match=r"has no 'kk' \(did you mean 'k'\?\)"):
        check_names(study_of({**VALID, "models": [f"{path}@kk=3"]}))
    path.write_text(OSCILLATOR.replace('{"k": (2.0, "")}', "read()"))  # who knows
    check_names(study_of({**VALID, "models": [f"{path}@kk=3"]}))


@pytest.mark.parametrize("stem", ["$(id)", "a b", "-x", "{model}", "a.b"])
def test_a_file_of_a_model_whose_stem_cannot_name_files_is_refused(stem, tmp_path):
    path = tmp_path / f"{stem}.py"
    path.write_text("")
    with pytest.raises(SettingError, match="becomes the model's key"):
        check_names(study_of({**VALID, "models": [str(path)]}))


def test_a_path_of_a_model_that_would_be_a_pattern_is_refused(tmp_path):
    (tmp_path / "{model}").mkdir()
    (tmp_path / "{model}" / "pendulum.py").write_text("")
    with pytest.raises(SettingError, match=r"models: the path .* cannot be that of an input"):
        check_names(study_of({**VALID, "models": [str(tmp_path / "{model}" / "pendulum.py")]}))


def test_a_published_norm_of_no_model_is_refused():
    norms = {"liu_neuron": 1.0, "logistik": 1.0}
    with pytest.raises(SettingError, match=r"published_norms: unknown model 'logistik' \(did you"):
        check_names(study_of({**VALID, "experiment": {"models": [], "published_norms": norms}}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"models": []}, "no folder of estimation problems"),
        ({"models": ["logistic", "gone.yaml"]}, "gone.yaml does not exist"),
        ({"models": ["logistic", "p.yaml@t_end=3"]}, "an estimation problem has no axes"),
        ({"sweep": {"models": ["p.yaml"]}}, "'p.yaml' is an estimation problem, no model"),
        ({"problems": {"solvers": ["tsit6"]}}, "problems.solvers: .*'tsit6'"),
        ({"problems": {"solvers": ["auto"]}}, "problems.solvers: 'auto' is not for a study"),
        ({"solvers": {"auto": {}}}, "solvers.auto: 'auto' is not for a study"),
        ({"problems": {"methods": ["guess"]}}, "problems.methods: .*'guess'"),
        ({"problems": {"tools": ["amigo"]}}, "problems.tools: unknown tool 'amigo'.*'amici'"),
        ({"problems": {"fits": ["logistic"]}}, "problems.fits: 'logistic' is no estimation"),
        ({"problems": {"fits": ["gone.yaml"]}}, "gone.yaml does not exist"),
    ],
    ids=str,
)
def test_problems_are_checked(change, words, tmp_path, monkeypatch):
    (tmp_path / "p.yaml").write_text("format_version: 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    experiment = {} if "experiment" in change else {"experiment": {"models": []}}
    with pytest.raises(SettingError, match=words):
        check_names(study_of({**VALID, **experiment, **change}))


def test_a_folder_of_problems_joins_the_models(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        (tmp_path / "set" / name / f"{name}.yaml").write_text("format_version: 1\n")
    (tmp_path / "set" / "a" / "other.yaml").write_text("key: 1\n")
    found = with_folder(study_of({"models": ["set/b/b.yaml"], "problems": {"folder": "set"}}))
    assert found.models == ["set/b/b.yaml", "set/a/a.yaml"]
    with pytest.raises(SettingError, match=r"problems.folder: .*gone does not exist"):
        with_folder(study_of({"problems": {"folder": "gone"}}))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingError, match=r"problems.folder: .*empty has no problem in PEtab"):
        with_folder(study_of({"problems": {"folder": "empty"}}))


def test_fits_and_checks_name_problems_of_the_study_by_their_keys(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("format_version: 1\n")
    problems = {"folder": ".", "fits": ["b"], "checked": ["all"]}
    found = with_folder(study_of({"models": ["logistic"], "problems": problems}))
    assert found.problems.fits == ["b.yaml"]
    assert found.problems.checked == ["a.yaml", "b.yaml"]


def test_an_id_of_an_sbml_file_is_set_once():
    with pytest.raises(ValueError, match="'t_end' is set twice"):
        sbml_setting("t_end=6,k=2,t_end=7")
    assert sbml_setting("t_end=6,k=2,kk=3").values == {"k": 2.0, "kk": 3.0}
    with pytest.raises(
        ValueError, match="'S' has no number; ids are joined by \\+, not by a comma"
    ):
        sbml_setting("only=k,S")
