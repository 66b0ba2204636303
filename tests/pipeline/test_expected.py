"""A result that is damaged, or is another one than belongs there, is never taken for it."""

from __future__ import annotations

import json
import shutil
from base64 import urlsafe_b64encode

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gradaudit.errors import DamagedResultError
from gradaudit.model.spec import digest_of
from gradaudit.pipeline import expected, verified
from gradaudit.pipeline.config import settings_of, study_of
from gradaudit.pipeline.flow import is_figures, stages
from gradaudit.pipeline.rules import jobs
from gradaudit.records import files
from gradaudit.records.provenance import figure_metadata

STUDY = study_of(
    {
        "results": "out",
        "models": ["logistic", "lotka_volterra"],
        "solvers": {"tsit5": {}, "dopri5": {}},
        "methods": ["forward_ad"],
        "experiment": {"models": []},
    }
)


def write(path, name, job, **other):
    """A result of a stage, of equal shape for all models and solvers."""
    settings = json.loads(settings_of(name, STUDY, **job))
    stage, model = "figures" if is_figures(name) else name, job.get("model", "")
    of = {"stage": stage, "settings": settings}
    if stages()[name].process == "solving":
        of["model_file"] = digest_of(model)
    of |= other
    rng = np.random.default_rng(0)
    match path.suffix:
        case ".nc":
            dataset = xr.Dataset({"x": (("a", "b"), rng.normal(size=(30, 20)))})
            files.write_dataset(dataset, path, model=model, solver=job.get("solver", ""), **of)
        case ".parquet":
            frame = pd.DataFrame({"x": rng.normal(size=300)})
            files.write_table(frame, path, model=model, **of)
        case ".json":
            files.write_json({"x": 1}, path, **of)
        case ".html":
            files.write_page("<html><head></head><body>x</body></html>\n", path, **of)
        case ".png":
            stamp = PngInfo()
            for key, text in figure_metadata(stage, settings, model=model).items():
                stamp.add_text(key, text)
            with files.atomic(path) as temporary:
                image = Image.fromarray(rng.integers(0, 255, (40, 40, 3), dtype=np.uint8))
                image.save(temporary, pnginfo=stamp)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """All files of a study."""
    folder = tmp_path_factory.mktemp("written") / "out"
    for name, stage in stages().items():
        for job in jobs(stage, STUDY):
            for made in stage.outputs.values():
                write(folder / made.path.format(**job), name, job)
    return folder


@pytest.fixture
def results(written, tmp_path, monkeypatch):
    """A copy of them; the working folder is the one above."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(written, tmp_path / "out")
    return tmp_path / "out"


def removed(folder):
    found = verified.remove_damaged(
        folder.parent, expected.expected(STUDY), folder / ".cache" / "verified.json"
    )
    return {path.relative_to(folder).as_posix(): wrong for path, wrong in found}


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    content = bytearray(path.read_bytes())
    middle = content.find(np.random.default_rng(0).normal(size=1).tobytes())
    content[middle + 100] ^= 0xFF
    path.write_bytes(bytes(content))


FILES = [
    "simulate/logistic/tsit5.nc", "gradients/logistic/tsit5.nc", "reference/logistic.nc",
    "evaluate/logistic.parquet", "atlas/audits.parquet", "atlas/laws.parquet",
    "trust/scores.json", "trust/skill.parquet", "figures/convergence_logistic.png",
    "figures/laws.png", "report/report.html", "track/done.json",
]  # fmt: skip


def test_whole_results_stay_and_are_read_once(results, monkeypatch):
    assert removed(results) == {}
    monkeypatch.setattr(verified, "look", lambda *_: pytest.fail("it was read again"))
    assert removed(results) == {}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "spoil",
    [cut, lambda path: path.write_bytes(b""), lambda path: path.write_text("garbage\n" * 9)],
    ids=["truncated", "empty", "garbage"],
)
def test_a_damaged_file_is_removed_with_a_sentence(results, name, spoil):
    removed(results)
    spoil(results / name)
    found = removed(results)
    assert list(found) == [name]
    assert name in found[name]
    assert "\n" not in found[name]
    assert not (results / name).exists()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", ["reference/logistic.nc", "evaluate/logistic.parquet"])
def test_a_byte_that_has_changed_is_noticed(results, name):
    flip(results / name)
    assert "damaged" in removed(results)[name]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("source", "place", "wrong"),
    [
        ("reference/lotka_volterra.nc", "reference/logistic.nc", "of the model 'lotka_volterra'"),
        ("gradients/logistic/dopri5.nc", "gradients/logistic/tsit5.nc", "of the solver 'dopri5'"),
        ("simulate/logistic/tsit5.nc", "gradients/logistic/tsit5.nc", "stage simulate made it"),
        ("evaluate/lotka_volterra.parquet", "evaluate/logistic.parquet", "'lotka_volterra'"),
        ("trust/skill.parquet", "atlas/laws.parquet", "stage trust made it, not atlas"),
        (
            "figures/convergence_lotka_volterra.png",
            "figures/convergence_logistic.png",
            "of the model 'lotka_volterra', not of 'logistic'",
        ),
    ],
)
def test_a_foreign_file_is_removed_whatever_its_time(results, source, place, wrong):
    removed(results)
    shutil.copy2(results / source, results / place)
    found = removed(results)
    assert list(found) == [place]
    assert wrong in found[place]
    assert (results / source).exists()


PLACE = "reference/logistic.nc"
OTHERS = {
    "settings": ({"settings": {"digits": 3}}, "with other settings than those of this study"),
    "model_file": ({"model_file": "0" * 16}, "the file of the model 'logistic' was another one"),
}


def record(results, *params):
    """What Snakemake keeps of that file, if it was made with these params."""
    name = urlsafe_b64encode(f"out/{PLACE}".encode()).decode()
    path = results.parent / ".snakemake" / "metadata" / name
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"params": [repr(param) for param in params]}))


@pytest.fixture(params=OTHERS)
def another(request, results):
    """That file with another origin; what is said of it."""
    fields, clause = OTHERS[request.param]
    write(results / PLACE, "reference", {"model": "logistic"}, **fields)
    return clause


def now():
    """The params of the job that would make it."""
    return settings_of("reference", STUDY, model="logistic"), digest_of("logistic"), "code"


def test_what_snakemake_makes_again_by_itself_is_left_to_it(results, another):
    """After a change of the configuration that is all, and the change may be taken back."""
    record(results, '{"digits":3}', "0" * 16, "code")
    assert removed(results) == {}


def test_what_snakemake_takes_for_the_result_is_removed(results, another):
    record(results, *now())
    found = removed(results)
    assert list(found) == [PLACE]
    assert another in found[PLACE]


def test_what_snakemake_knows_nothing_of_is_removed_where_it_is_of_another_origin(results, another):
    """As after a copy from another machine, or without the folder .snakemake."""
    removed_files = removed(results)
    assert list(removed_files) == [PLACE]
    assert another in removed_files[PLACE]


def test_what_snakemake_knows_nothing_of_is_removed_where_other_code_made_it(results, monkeypatch):
    record(results, *now())
    monkeypatch.setattr(verified, "code_of", lambda stage: f"code of {stage}")
    found = removed(results)
    assert PLACE not in found
    assert "another version of gradaudit made it" in found["reference/lotka_volterra.nc"]
    assert "track/done.json" in found


def test_a_change_that_is_taken_back_finds_what_was_whole(results, monkeypatch):
    removed(results)
    monkeypatch.setattr(verified, "recorded_params", lambda *_: frozenset({"other"}))
    other = study_of({**STUDY.plain(), "reference": {"digits": 9}})
    args = results.parent, expected.expected(other), results / ".cache" / "verified.json"
    assert list(verified.remove_damaged(*args)) == []
    monkeypatch.setattr(verified, "look", lambda *_: pytest.fail("it was read again"))
    assert removed(results) == {}


@pytest.fixture
def plan(results, monkeypatch):
    """The study as its jobs know it."""
    text = expected.as_text(expected.expected(STUDY))
    path = expected.plan_file(STUDY, text)
    expected.write_plan(path, text)
    monkeypatch.setenv(expected.VARIABLE, str(path))
    return results


def check(**paths):
    expected.check_inputs(stages()["evaluate"], paths)


def inputs(folder):
    return {
        "reference": [folder / "reference" / "logistic.nc"],
        "gradients": [folder / "gradients" / "logistic" / f"{s}.nc" for s in ("tsit5", "dopri5")],
    }


def test_a_job_reads_the_results_that_belong_there(plan):
    relative = {k: [p.relative_to(plan.parent) for p in v] for k, v in inputs(plan).items()}
    check(**relative)


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("reference/lotka_volterra.nc", "it is of the model 'lotka_volterra', not of 'logistic'"),
        ("gradients/logistic/tsit5.nc", "stage gradients made it, not reference"),
        (None, "with other settings than those of this study"),
        ("model_file", "the file of the model 'logistic' was another one when it was made"),
    ],
)
def test_a_job_refuses_another_result(plan, source, wrong):
    place = plan / "reference" / "logistic.nc"
    if source == "model_file":
        write(place, "reference", {"model": "logistic"}, model_file="0" * 16)
    elif source:
        shutil.copy(plan / source, place)
    else:
        dataset = xr.Dataset({"x": ("a", [1.0])})
        files.write_dataset(
            dataset, place, stage="reference", settings={"digits": 3}, model="logistic"
        )
    relative = {k: [p.relative_to(plan.parent) for p in v] for k, v in inputs(plan).items()}
    with pytest.raises(DamagedResultError) as error:
        check(**relative)
    text = str(error.value)
    assert wrong in text
    assert "out/reference/logistic.nc is not the result that belongs there" in text
    assert text.endswith("Remove it and run `make run`, which makes it again.")


def test_a_command_that_was_typed_reads_results_of_one_model_by_the_right_stages(results):
    check(**inputs(results))
    mixed = inputs(results) | {"reference": [results / "reference" / "lotka_volterra.nc"]}
    with pytest.raises(DamagedResultError, match=r"of the model 'lotka_volterra'.*'logistic'"):
        check(**mixed)
    swapped = inputs(results) | {"reference": [results / "gradients" / "logistic" / "tsit5.nc"]}
    with pytest.raises(DamagedResultError, match="stage gradients made it, not reference"):
        check(**swapped)
