"""The report is one file that needs nothing else, whatever the tables hold."""

import re
import subprocess
import sys

import pandas as pd
import pytest
from PIL import Image

from gradaudit.analysis.frontier import cheapest_settings
from gradaudit.analysis.functional_ranking import ranking
from gradaudit.analysis.regimes import regimes
from gradaudit.analysis.remedies import remedies
from gradaudit.analysis.scaling_laws import laws
from gradaudit.analysis.verdicts import ladders as ladders_of
from gradaudit.records.files import write_dataset, write_table
from gradaudit.report.render import say
from gradaudit.stages import report
from report.test_fisher_sentences import made_up as made_up_fisher
from report.test_fit_sentences import NOWHERE
from report.test_fit_sentences import made_up as made_up_fits

TABLES = ("audits", "verdicts", "frontier")
ANSWERS = {"laws": laws, "ranking": ranking, "remedies": remedies, "regimes": regimes}
IMAGES = (
    "convergence_made_up",
    "mechanisms",
    "regime_map",
    "indicator",
    "laws",
    "laws_axes",
    "ranking",
    "remedies",
)


@pytest.fixture
def written(tmp_path, made_up_audits, made_up_experiment, made_up_reference):
    """Write a report on some audits; its text."""

    def write(
        *,
        experiments: bool = True,
        settings=None,
        references: bool = True,
        images=IMAGES,
        skill=None,
        chapters=None,
        **audits,
    ) -> str:
        table = made_up_audits(**audits)
        frames = {
            "audits": table,
            "verdicts": ladders_of(table),
            "frontier": cheapest_settings(table, [1e-2, 1e-6]),
            **{name: make(table) for name, make in ANSWERS.items()},
            "experiment/made_up": made_up_experiment(),
        }
        for name, frame in frames.items():
            write_table(frame, tmp_path / f"{name}.parquet", stage=name, settings={})
        write_dataset(made_up_reference, tmp_path / "made_up.nc", stage="reference", settings={})
        figures = []
        for name in images:
            figures.append(tmp_path / f"{name}.png")
            Image.new("RGB", (4, 4)).save(figures[-1])
        own = {}
        for name, frame in (chapters or {}).items():
            own[name] = [tmp_path / f"{name}.parquet"]
            write_table(frame, own[name][0], stage=name, settings={})
        report.run(
            **own,
            **{name: tmp_path / f"{name}.parquet" for name in (*TABLES, *ANSWERS)},
            skill=skill,
            experiments=[tmp_path / "experiment" / "made_up.parquet"] if experiments else [],
            references=[tmp_path / "made_up.nc"] if references else [],
            figures=figures,
            settings=settings or {"title": "A title & more"},
            output=tmp_path / "report.html",
        )
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return write


def test_the_page_needs_nothing_else(written):
    page = written()
    assert page.count("<script") == 1
    assert "<script src" not in page
    assert not re.findall(r"fetch\(|import |XMLHttpRequest", page.partition("<script>")[2])
    sources = re.findall(r'(?:src|href)="([^"]{1,40})', page)
    assert sources
    assert all(source.startswith(("data:image/webp;base64,", "#")) for source in sources)
    assert "@import" not in page
    assert "A title &amp; more" in page


def test_the_first_screen_has_the_four_questions_with_their_evidence(written):
    page = written()
    screen = page.partition('id="first"')[2].partition("</section>")[0]
    assert screen.count('<article class="card">') == 4
    for key in ("q1", "q2", "q3", "q4"):
        assert f'href="#{key}"' in screen
    assert page.index('id="first"') < page.index('id="answer"')


@pytest.mark.slow
def test_chapters_on_fits_and_the_fisher_information_are_there_where_they_have_tables(written):
    page = written()
    assert 'id="fits"' not in page
    assert 'id="fisher"' not in page
    page = written(
        chapters={"fits": made_up_fits("decay", NOWHERE), "fisher": made_up_fisher("a", [0.5] * 3)}
    )
    assert '<section id="fits">' in page
    assert '<section id="fisher">' in page
    assert "ends elsewhere." in page


def test_models_are_folded_and_found_by_their_words(written):
    page = written()
    assert '<details class="model" id="model-made_up" data-words="made_up ' in page
    assert 'type="search"' in page


def test_a_model_is_found_by_its_description_and_kinds(written):
    words = written().partition('data-words="')[2].partition('"')[0]
    assert "value at the end" in words
    assert "A model that was made up for a test." in words


def test_what_a_functional_is_can_be_reached_from_the_first_screen(written):
    page = written()
    screen = page.partition('id="first"')[2].partition("</section>")[0]
    assert 'href="#functionals"' in screen
    told = page.partition('id="functionals"')[2]
    assert "<dt>Value at the end</dt><dd>Its value: y at the end of the window. For every" in told


def test_every_link_has_a_target(written):
    page = written()
    targets = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= targets


def test_the_page_holds_the_sections_of_each_model(written):
    page = written(settings={"title": "t", "published_norms": {"made_up": 2e6}})
    for text in (
        "Audited: 72 gradients",
        "Published: 2e6",
        "V at the end",
        "error ≤ <span",
        "13.1 significant digits",
        "Glossary",
        "Full control",
        "numpy",
    ):
        assert text in page


def test_it_is_the_same_file_for_the_same_data(written):
    assert written() == written()


@pytest.mark.slow
def test_other_data_say_other_things(written):
    assert "Every solve finished" in written()
    broken = written(failed=[("tsit5", 1e-3)])
    assert "3 of 24 solves failed" in broken
    assert "max steps" in broken


def test_every_question_has_its_section(written):
    page = written()
    for name in ("answer", "q1", "q2", "q3", "q4", "checklist", "bibliography"):
        assert f'<section id="{name}">' in page
    assert 'id="figure-mechanisms"' in page
    assert "Annotated bibliography" in page
    assert "The skill of the indicators was not computed in this run." in page


def test_it_can_do_without_figures(written):
    page = written(images=())
    assert "<img" not in page
    targets = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= targets


def test_the_skill_is_told_where_there_is_a_table(written, tmp_path):
    row = {
        "indicator": "seen", "scope": "all", "cost": 1.5, "spearman": 0.8, "spearman_low": 0.7,
        "spearman_high": 0.9, "auc": 0.9, "auc_low": 0.8, "auc_high": 1.0, "threshold": 0.1,
        "misses": 0.1, "false_alarms": 0.2, "rows": 10, "missed_nonconverging": 0,
    }  # fmt: skip
    write_table(pd.DataFrame([row]), tmp_path / "skill.parquet", stage="atlas", settings={})
    assert "0.90 [0.80, 1.00]" in written(skill=tmp_path / "skill.parquet")


@pytest.mark.slow
def test_answers_change_with_the_data(written):
    assert "nothing to correct" in written()
    assert "are not good" in written(errors={("made_up", "forward_ad"): 0.3})


def test_it_can_do_without_experiment_and_references(written):
    page = written(experiments=False, references=False)
    assert "The experiment was not run in this configuration." in page
    assert "There is no reference." in page


def test_everything_may_have_failed(written):
    failed = [(s, 10.0**-k) for s in ("tsit5", "dopri8") for k in (3, 5, 7, 9)]
    page = written(failed=failed)
    assert "Every solve failed (24 of 24)" in page
    assert not re.search(r"\b(nan|None)\b", page)


def test_numbers_are_not_broken_and_text_is_escaped():
    assert say("a < 1e-5") == 'a &lt; <span class="number">1e-5</span>'
    assert say("in 5 ms") == 'in <span class="number">5 ms</span>'
    assert say("2 solvers") == "2 solvers"


def test_neither_jax_nor_seaborn_nor_mlflow_is_imported():
    code = (
        "import sys, gradaudit.stages.report; "
        "print(sorted({'jax', 'seaborn', 'matplotlib', 'mlflow'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.slow
def test_a_figure_without_a_place_of_its_own_is_shown_as_it_declares(written):
    assert 'id="further"' not in written()
    page = written(images=(*IMAGES, "sweep_made_up"))
    assert 'id="further"' in page
    assert "Along a parameter: made_up" in page
    assert "snakemake" not in page
    assert "Along a parameter: made_up. The computed value along the first parameter" in page
