"""What the page shows of models, figures, terms and the origin of tables."""

import base64
import io
import json
from dataclasses import replace

import pandas as pd
import pytest
from PIL import Image

from gradaudit.analysis.frontier import CRIME, cheapest_settings
from gradaudit.analysis.verdicts import ladders
from gradaudit.records.files import write_dataset, write_table
from gradaudit.report import content
from gradaudit.report.content import Certificate
from gradaudit.report.tables import cheapest_table, failed_table


@pytest.fixture
def certificate(tmp_path, made_up_reference):
    path = tmp_path / "made_up.nc"
    write_dataset(made_up_reference, path, stage="reference", settings={})
    return Certificate.read(path)


def test_a_certificate_has_its_model_and_its_cost(certificate):
    assert certificate.key == "made_up"
    assert certificate.model["observables"] == ["V"]
    assert [rung["precision"] for rung in certificate.rungs] == ["double", "long double"]
    assert certificate.seconds == pytest.approx(1.0 + 2.0 + 0.5 + 0.5)


def test_a_reference_without_a_record_of_solves_costs_nothing(tmp_path, made_up_reference):
    del made_up_reference.attrs["rungs_json"]
    path = tmp_path / "made_up.nc"
    write_dataset(made_up_reference, path, stage="reference", settings={})
    assert Certificate.read(path).seconds == 0.0


def test_a_section_is_of_its_own_model_and_figures(certificate, made_up_audits):
    audits = made_up_audits(
        models=("made_up", "other"), errors={("other", "forward_ad"): 0.9}, tolerances=(1e-3, 1e-5)
    )
    images = {"convergence_made_up": "a", "convergence_other": "b", "laws": "c"}
    section = content.model_section(
        certificate,
        audits=audits,
        verdicts=ladders(audits),
        frontier=cheapest_settings(audits, [1e-2]),
        figures=images,
    )
    assert section.key == "made_up"
    assert section.figures == {"convergence": "a"}
    assert section.verdict == "good"
    assert len(section.verdicts.rows) == 3
    assert len(section.cheapest.rows) == 1 + 3  # all functionals together, and each
    assert section.sentences[0].startswith("The reference is certified, by 2 solves")
    assert all(section.sentences)


@pytest.mark.parametrize(
    ("unit", "shown"), [("ms", "ms"), ("1", "in dimensionless time"), ("", "in dimensionless time")]
)
def test_a_window_without_a_unit_is_said_to_have_none(certificate, made_up_audits, unit, shown):
    audits = made_up_audits()
    section = content.model_section(
        replace(certificate, model={**certificate.model, "time_unit": unit}),
        audits=audits,
        verdicts=ladders(audits),
        frontier=cheapest_settings(audits, [1e-2]),
        figures={},
    )
    assert section.facts["time_unit"] == shown


def test_the_section_of_an_experiment_has_its_published_norm(tmp_path, made_up_experiment):
    path = tmp_path / "made_up.parquet"
    write_table(made_up_experiment(), path, stage="experiment", settings={})
    with_norm, without = (
        content.experiment(path, settings=settings, figures=figures)
        for settings, figures in (
            ({"published_norms": {"made_up": 1.45e6}}, {"experiment_made_up": "image"}),
            ({}, {}),
        )
    )
    assert (with_norm.key, with_norm.figure, without.figure) == ("made_up", "image", "")
    assert "1.45e6" in " ".join(with_norm.paragraphs)
    assert "1.45e6" not in " ".join(without.paragraphs)
    assert len(without.table.rows) == 4


@pytest.mark.parametrize(
    ("stem", "width"),
    [("laws", content.SHARP_WIDTH), ("convergence_logistic", content.WIDTH)],
)
def test_figures_are_embedded_by_their_stem(tmp_path, stem, width):
    """Those of all models, which have smaller print, are sharper than those of one."""
    path = tmp_path / f"{stem}.png"
    Image.new("RGB", (2 * width, 300), "white").save(path)
    (name, address), *none = content.embedded([path]).items()
    assert (name, none) == (stem, [])
    data = base64.b64decode(address.removeprefix("data:image/webp;base64,"))
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("WEBP", (width, 150))


def test_a_small_figure_is_not_enlarged(tmp_path):
    path = tmp_path / "small.png"
    Image.new("RGB", (30, 20), "white").save(path)
    address = content.embedded([path])["small"]
    data = base64.b64decode(address.removeprefix("data:image/webp;base64,"))
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (30, 20)


def test_terms_have_the_thresholds_filled_in():
    found = content.glossary(good=1e-2, horrible=0.5)
    assert found.keys() == content.GLOSSARY.keys()
    assert not any("{" in text for text in found.values())
    assert any("0.01" in text and "0.5" in text for text in found.values())


def test_the_origin_of_tables_is_listed_once_per_stage_and_code(tmp_path, made_up_experiment):
    paths = [tmp_path / name for name in ("a.parquet", "b.parquet", "c.parquet", "plain.parquet")]
    for path, stage in zip(paths, ("evaluate", "evaluate", "atlas"), strict=False):
        write_table(made_up_experiment(), path, stage=stage, settings={})
    made_up_experiment().to_parquet(paths[-1])  # of another program: it says nothing
    found = content.provenance(paths)
    assert [record["stage"] for record in found] == ["evaluate", "atlas"]
    assert "numpy" in found[0]["packages"]
    assert json.dumps(found[0]["packages"])


def test_the_cheapest_settings_leave_out_the_solvers_own_trace():
    rows = [
        {"functional": "a", "solver": "tsit5", "reason": ""},
        {"functional": "own", "solver": "", "reason": CRIME},
    ]
    shared = {"accuracy": 1e-4, "method": "forward_ad", "rtol": 1e-6, "seconds": 0.1}
    frontier = pd.DataFrame([row | shared for row in rows])
    table = cheapest_table(frontier, {"a": "a", "own": "own trace"})
    assert [row[0].text for row in table.rows] == ["a"]


def test_failures_that_differ_in_the_tolerance_are_one_row(made_up_audits):
    failed = [("tsit5", 1e-3), ("tsit5", 1e-5), ("dopri8", 1e-3)]
    rows = failed_table(made_up_audits(methods=["forward_ad"], failed=failed)).rows
    told = [[cell.text for cell in row[1:]] for row in rows]
    assert ["tsit5", "forward AD", "1e-3 to 1e-5", "2", "max steps"] in told
    assert ["dopri8", "forward AD", "1e-3", "1", "max steps"] in told
    assert len(told) == 2
