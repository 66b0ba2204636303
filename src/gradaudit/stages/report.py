"""Stage: the report, one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gradaudit.io import read_table, write_text
from gradaudit.report import content, sentences, tables
from gradaudit.report.render import render


def run(
    *,
    audits: Path,
    verdicts: Path,
    frontier: Path,
    experiments: Sequence[Path],
    references: Sequence[Path],
    figures: Sequence[Path],
    settings: Mapping[str, Any],
    output: Path,
) -> None:
    """Write the report.

    Parameters
    ----------
    audits, verdicts, frontier
        Tables of stage atlas.
    experiments, references, figures
        Tables of stage experiment, files of stage reference, and PNG files of stage figures.
    settings
        ``title``; the thresholds ``good`` and ``horrible``, by default those of the configuration;
        ``published_norms`` by model, where there is a published value to compare with.
    output
        HTML file.
    """
    rows, ladders, cheapest = (read_table(path) for path in (audits, verdicts, frontier))
    good, horrible = settings.get("good", 1e-2), settings.get("horrible", 0.5)
    certificates = [content.Certificate.read(path) for path in references]
    images = content.embedded(figures)
    answer = [
        sentences.answer(ladders),
        sentences.loosest(rows, horrible),
        sentences.control(rows),
    ]
    page = render(
        title=settings.get("title", "Where forward-mode gradients can be trusted"),
        audited=sentences.audited(rows),
        certified=sentences.certified(
            {c.key: str(c.attributes["status"]) for c in certificates},
            {c.key: float(c.attributes["digits"]) for c in certificates},
        ),
        answer=[sentence for sentence in answer if sentence],
        methods=tables.method_table(ladders),
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
        glossary=content.glossary(good=good, horrible=horrible),
        provenance=content.provenance([*references, *experiments, audits]),
        figures=images,
    )
    write_text(page, output)
