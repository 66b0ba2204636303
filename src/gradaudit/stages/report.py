"""Stage: the report, one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from gradaudit.pipeline.job_times import jobs_of
from gradaudit.records.files import read_table, write_page
from gradaudit.records.stage import Output, Stage
from gradaudit.report import (
    answers,
    checker_sentences,
    content,
    fisher_sentences,
    fit_sentences,
    job_times,
    sentences,
    tables,
)
from gradaudit.report.further import further
from gradaudit.report.literature import Facts
from gradaudit.report.problem_answers import by_question
from gradaudit.report.problems import chapter
from gradaudit.report.render import render
from gradaudit.report.tooltips import tooltips

MODELS = (
    "answers", "methods", "experiments", "models", "indicator", "failures", "failed", "times",
    "time",
)  # fmt: skip
"""What the page says of models."""

STAGE = Stage(
    about="the report as one HTML file",
    problems="both",
    inputs={
        "audits": "atlas.audits",
        "verdicts": "atlas.verdicts",
        "frontier": "atlas.frontier",
        "laws": "atlas.laws",
        "ranking": "atlas.ranking",
        "remedies": "atlas.remedies",
        "regimes": "atlas.regimes",
        "skill": "trust.skills",
        "experiments": "experiment",
        "problems": "problem",
        "fits": "fit",
        "checkers": "checkers",
        "fisher": "fisher",
        "references": "reference",
        "figures": "figures",
    },
    params={"logs": "folder of the logs of the jobs"},
    outputs={"output": Output("report/report.html", "HTML file")},
)


def run(
    *,
    audits: Path | None = None,
    verdicts: Path | None = None,
    frontier: Path | None = None,
    laws: Path | None = None,
    ranking: Path | None = None,
    remedies: Path | None = None,
    regimes: Path | None = None,
    skill: Path | None = None,
    experiments: Sequence[Path] = (),
    problems: Sequence[Path] = (),
    fits: Sequence[Path] = (),
    checkers: Sequence[Path] = (),
    fisher: Sequence[Path] = (),
    references: Sequence[Path] = (),
    figures: Sequence[Path],
    settings: Mapping[str, Any],
    output: Path,
    logs: Path | None = None,
) -> None:
    """Write the report.

    Parameters
    ----------
    audits, verdicts, frontier, laws, ranking, remedies, regimes
        Tables of stage atlas; None in a study without models, which has problems alone.
    skill
        The table of the skill of the indicators, where there is one.
    experiments, problems, fits, checkers, fisher, references, figures
        Tables of the stages experiment, problem, fit, checkers and fisher, files of stage
        reference, and PNG files of stage figures.
    settings
        ``title``; the thresholds ``good`` and ``horrible``, by default those of the configuration;
        ``published_norms`` by model, where there is a published value to compare with.
    output
        HTML file.
    logs
        Folder of the logs of the jobs, which contain their times.
    """
    good, horrible = settings.get("good", 1e-2), settings.get("horrible", 0.5)
    images = content.embedded(figures)
    jobs = jobs_of([] if logs is None else sorted(Path(logs).rglob("*.log")))
    own = [read_table(path) for path in problems]
    estimation = chapter(own, good, horrible)
    common = {
        "title": settings.get("title", "Where forward-mode gradients can be trusted"),
        "problems": estimation,
        "fits": fit_sentences.chapter(_read(fits)),
        "checkers": checker_sentences.chapter(_read(checkers), good),
        "fisher": fisher_sentences.chapter(_read(fisher), good),
        "run_time": job_times.table(jobs),
        "glossary": content.glossary(good=good, horrible=horrible),
        "provenance": content.provenance(
            [
                *references,
                *experiments,
                *problems,
                *fits,
                *checkers,
                *fisher,
                *([audits] if audits else []),
            ]
        ),
        "figures": images,
        "tips": tooltips(figures),
        "further": further(images),
    }
    if audits is None:
        page = render(
            **common,
            **dict.fromkeys(MODELS),
            functionals={},
            headline=estimation["sentences"][0],
            audited="",
            certified="",
            run_times="",
        )
        write_page(page, output, stage="report", settings=settings)
        return
    atlas = (audits, verdicts, frontier, laws, ranking, remedies, regimes)
    read = {path: read_table(path) for path in atlas if path is not None}
    rows, ladders, cheapest, *rest = read.values()
    certificates = [content.Certificate.read(path) for path in references]
    law_rows, ranked, cures, regime_rows = rest
    facts = Facts(
        audits=rows,
        verdicts=ladders,
        laws=law_rows,
        ranking=ranked,
        remedies=cures,
        regimes=regime_rows,
    )
    overview = [
        sentences.answer(ladders),
        sentences.loosest(rows, horrible),
        sentences.control(rows),
    ]
    page = render(
        **common,
        headline=sentences.within(rows, good),
        audited=sentences.audited(rows),
        certified=sentences.certified(
            {c.key: str(c.attributes["status"]) for c in certificates},
            {c.key: float(c.attributes["digits"]) for c in certificates},
        ),
        answers=answers.answers(
            facts,
            skill=None if skill is None else read_table(skill),
            good=good,
            overview=[sentence for sentence in overview if sentence],
            figures=images,
            on_problems=by_question(own, good),
        ),
        methods=tables.method_table(ladders),
        functionals=content.functionals(ladders["kind"]),
        experiments=[
            content.experiment(path, settings=settings, figures=images)
            for path in map(Path, experiments)
        ],
        models=[
            content.model_section(
                certificate, audits=rows, verdicts=ladders, frontier=cheapest, figures=images
            )
            for certificate in certificates
        ],
        indicator=sentences.indicator(rows, good),
        failures=sentences.failures(rows),
        failed=tables.failed_table(rows),
        times=sentences.times(rows, sum(certificate.seconds for certificate in certificates)),
        time=tables.time_table(rows),
        run_times=job_times.sentence(jobs, rows),
    )
    write_page(page, output, stage="report", settings=settings)


def _read(paths: Sequence[Path]) -> list[pd.DataFrame]:
    """Tables that are not empty."""
    return [table for table in map(read_table, paths) if len(table)]
