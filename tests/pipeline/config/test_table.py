"""The tables of the guide."""

import pytest
import yaml

from gradaudit.pipeline.config.table import entry_table, key_table, number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0, "0"),
        (401, "401"),
        (0.5, "0.5"),
        (1e-3, "1.0e-3"),
        (2.5e-7, "2.5e-7"),
        (1e6, "1.0e+6"),
        (1.45e6, "1.45e+6"),
        (500_000, "500000"),
    ],
)
def test_numbers_are_written_as_yaml_reads_numbers(value, text):
    assert number(value) == text
    assert yaml.safe_load(text) == value
    assert isinstance(yaml.safe_load(text), (int, float))


def test_a_row_has_default_unit_readers_and_meaning():
    rows = key_table().splitlines()
    assert rows[0] == "| Key | Default | Unit | Read by | Meaning |"
    assert "| … `seed` | 1 |  | evaluate | seed of that noise |" in rows
    assert any(row.startswith("| `atol_factor` | 1.0e-3 | unit of the state |") for row in rows)
    assert any(row.startswith("| `solvers` | `tsit5`, `dopri8`, `kvaerno5` |") for row in rows)


def test_a_section_has_no_default_and_its_keys_follow_it():
    rows = key_table().splitlines()
    place = next(i for i, row in enumerate(rows) if row.startswith("| `atlas` |"))
    assert rows[place].startswith("| `atlas` |  |  |  |")
    assert rows[place + 1].startswith("| … `accuracies` | 1.0e-2, 1.0e-4, 1.0e-6 | 1 | atlas |")


def test_what_no_stage_reads_shapes_the_workflow():
    row = next(row for row in key_table().splitlines() if row.startswith("| `models` |"))
    assert row.split(" | ")[3] == "the workflow"


def test_every_key_of_an_entry_has_a_row():
    rows = entry_table().splitlines()
    assert rows[0] == "| Key of an entry | Unit | Meaning |"
    assert [row for row in rows if row.startswith("| `steps` |")]
    assert all(row.count(" | ") == 2 for row in rows[2:])
