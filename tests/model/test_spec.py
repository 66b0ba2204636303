"""Names of models in the configuration: what they expand to, and what is refused, without JAX."""

import os
import subprocess
import sys

import pytest

from gradaudit.errors import SettingError
from gradaudit.model.spec import (
    SUFFIXES,
    axes_of,
    digest_of,
    expand,
    file_of,
    hint,
    key_of,
    sbml_setting,
)

SOURCE = """
MU = (1.0, 10.0, 100.0)
{assignment}
MODEL = Model(name="mine", axes={axes})
"""


@pytest.fixture
def model_file(tmp_path):
    def write(axes='{"mu": MU}', assignment="", name="mine.py"):
        path = tmp_path / name
        path.write_text(SOURCE.format(axes=axes, assignment=assignment), encoding="utf-8")
        return path

    return write


def test_a_name_without_a_setting_is_itself():
    assert expand("logistic") == ["logistic"]


def test_an_axis_alone_expands_to_one_entry_per_value_in_the_order_of_the_axis():
    values = axes_of(file_of("van_der_pol"))["mu"]
    entries = expand("van_der_pol@mu")
    assert [float(entry.partition("=")[2]) for entry in entries] == list(values)


def test_expansion_is_idempotent():
    for entry in expand("van_der_pol@mu"):
        assert expand(entry) == [entry]


def test_several_settings_stay_one_entry(model_file):
    path = model_file('{"mu": (1.0, 2.0), "nu": (3.0,)}')
    assert expand(f"{path}@mu=1,nu=7") == [f"{path}@mu=1,nu=7"]


@pytest.mark.parametrize(
    ("axes", "assignment", "expected"),
    [
        ('{"mu": (1, 2.5)}', "", {"mu": (1.0, 2.5)}),
        ("AXES", 'AXES = {"mu": [1, 2]}', {"mu": (1.0, 2.0)}),
        ("made()", "", {}),
    ],
    ids=["literal", "name of a literal", "computed"],
)
def test_axes_are_read_where_they_are_literals(model_file, axes, assignment, expected):
    assert axes_of(model_file(axes, assignment)) == expected


def test_reading_axes_does_not_run_the_file(model_file):
    path = model_file('{"mu": (1.0,)}', "raise SystemExit(3)")
    assert axes_of(path) == {"mu": (1.0,)}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_key_of_a_file_is_its_stem_with_the_setting(suffix):
    assert key_of(f"some/where/pendulum{suffix}@length=2") == "pendulum@length=2"
    assert key_of("van_der_pol@mu=100") == "van_der_pol@mu=100"


@pytest.mark.parametrize(
    ("entry", "part"),
    [
        ("logistik", "did you mean 'logistic'?"),
        ("van_der_pol@nu", "has no 'nu'"),
        ("van_der_pol@mu=large", "'mu=large'"),
        ("van_der_pol@mu=1,nu=2", "has no 'nu'"),
        ("no/such/file.py", "no/such/file.py"),
    ],
)
def test_what_does_not_exist_is_refused_by_name(entry, part):
    with pytest.raises(SettingError) as error:
        expand(entry)
    assert part in str(error.value)
    assert "models:" in str(error.value)


def test_a_setting_of_sbml_has_window_values_and_parameters():
    assert sbml_setting("t_end=50,k=2e-3,only=k+S_1") == (50.0, {"k": 2e-3}, ("k", "S_1"))
    assert sbml_setting("") == (None, {}, None)


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ("k", "has no finite number"),
        ("k=fast", "has no finite number"),
        ("k=inf", "has no finite number"),
        ("only=", "names no ids joined by +"),
        ("only=k+", "names no ids joined by +"),
        ("only=k,S", "has no number; ids are joined by +, not by a comma"),
        ("1k=2", "is no name and number"),
    ],
)
def test_a_setting_of_sbml_that_cannot_be_read_is_refused_by_name(part, why, model_file):
    path = model_file(name="cell.xml")
    with pytest.raises(SettingError) as error:
        expand(f"{path}@t_end=5,{part}")
    assert f"{part.split(',')[-1]!r} {why}" in str(error.value)


def test_a_key_that_is_too_long_for_a_file_is_refused(model_file):
    path = model_file(name="cell.xml")
    names = "+".join(f"k{i}" for i in range(30))
    assert expand(f"{path}@only={names}") == [f"{path}@only={names}"]
    with pytest.raises(SettingError, match="load_sbml"):
        expand(f"{path}@only={names}+{names}")


def test_a_stem_that_cannot_be_a_key_is_refused(model_file):
    with pytest.raises(SettingError, match="Rename the file"):
        file_of(str(model_file(name="1 pendulum.py")))


def test_a_hint_is_given_only_where_a_name_is_close():
    assert "logistic" in hint("logistc", ["logistic", "lorenz"])
    assert hint("xyzzy", ["logistic", "lorenz"]) == ""


def test_names_are_resolved_without_jax():
    """JAX takes seconds to import, and the workflow resolves names before any job."""
    code = "import sys; from gradaudit.model.spec import expand; expand('van_der_pol@mu')"
    code += "; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["mine.py", "mine.xml"])
def test_the_digest_of_a_model_is_that_of_what_its_file_holds(model_file, name):
    """Whatever the setting of its axes, and the time of the file."""
    path = model_file(name=name)
    before = digest_of(str(path))
    assert digest_of(f"{path}@t_end=100") == before
    time = path.stat().st_mtime_ns
    path.write_text(path.read_text().replace("100.0", "200.0"))
    os.utime(path, ns=(time, time))
    assert digest_of(str(path)) != before


def test_axes_are_those_of_the_file_as_it_is_now(model_file):
    path = model_file(axes='{"mu": (1.0, 10.0)}')
    assert axes_of(path)["mu"] == (1.0, 10.0)
    model_file(axes='{"mu": (2.0,)}')
    assert axes_of(path)["mu"] == (2.0,)
