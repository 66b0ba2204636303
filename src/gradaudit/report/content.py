"""What the template shows, section by section, as plain data."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from gradaudit.records.catalogue import catalogue
from gradaudit.records.files import read_dataset, read_provenance, read_table
from gradaudit.records.labels import functional_names, in_order, kind_name, worst
from gradaudit.report import experiment_sentences, model_sentences, tables
from gradaudit.report.glossary import GLOSSARY
from gradaudit.report.numbers import number, sentence_case
from gradaudit.report.tables import Table


@dataclass(frozen=True, kw_only=True)
class ModelSection:
    """What the report says of one model; `words` are what a search looks in."""

    key: str
    facts: Mapping[str, Any]
    verdict: str
    words: str
    sentences: Sequence[str]
    verdicts: Table
    cheapest: Table
    figures: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What the report says of the published experiment on one model."""

    key: str
    paragraphs: Sequence[str]
    table: Table
    figure: str


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What the file of stage reference says: the model, and how its reference was certified."""

    model: Mapping[str, Any]
    attributes: Mapping[str, Any]
    rungs: Sequence[Mapping[str, Any]]

    @classmethod
    def read(cls, path: Path) -> Certificate:
        """From the file of stage reference."""
        attributes = read_dataset(path).attrs
        return cls(
            model=json.loads(attributes["model_json"]),
            attributes=attributes,
            rungs=json.loads(attributes.get("rungs_json", "[]")),
        )

    @property
    def key(self) -> str:
        """The key of the model."""
        return str(self.model["key"])

    @property
    def seconds(self) -> float:
        """What the reference cost."""
        return model_sentences.reference_seconds(self.rungs)


def model_section(
    certificate: Certificate,
    *,
    audits: pd.DataFrame,
    verdicts: pd.DataFrame,
    frontier: pd.DataFrame,
    figures: Mapping[str, str],
) -> ModelSection:
    """The section on one model; the tables are those of all models."""
    key = certificate.key
    rows = audits[audits["model"] == key]
    own = verdicts[verdicts["model"] == key]
    names = functional_names(dict(zip(own["functional"], own["kind"], strict=True)))
    candidates = [
        model_sentences.reference(certificate.attributes, certificate.rungs),
        model_sentences.verdict(own),
        model_sentences.order(own),
        model_sentences.attribution(rows),
        model_sentences.failures(rows),
        model_sentences.solvers(rows),
    ]
    return ModelSection(
        key=key,
        facts=_shown(certificate.model),
        verdict=worst(own["verdict"].tolist()),
        words=_words(certificate, own),
        sentences=[sentence for sentence in candidates if sentence],
        verdicts=tables.verdict_table(own),
        cheapest=tables.cheapest_table(frontier[frontier["model"] == key], names),
        figures={
            kind: figures[f"{kind}_{key}"] for kind in OF_MODELS if f"{kind}_{key}" in figures
        },
    )


def _words(certificate: Certificate, verdicts: pd.DataFrame) -> str:
    """All that a reader may look for: names, mechanism, description, source, kinds, verdict."""
    model, kinds = certificate.model, dict.fromkeys(map(str, verdicts["kind"]))
    told = (model.get(name) for name in ("name", "mechanism", "description", "citation"))
    words = [certificate.key, *told, *map(kind_name, kinds), worst(verdicts["verdict"].tolist())]
    return " ".join(str(word) for word in words if word)


def _shown(model: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a model as they are printed: a time without a unit is said to have none."""
    unit = model.get("time_unit", "")
    return {**model, "time_unit": "in dimensionless time" if unit in ("", "1") else unit}


def experiment(
    path: Path, *, settings: Mapping[str, Any], figures: Mapping[str, str]
) -> Experiment:
    """The section on the experiment of one table."""
    table = read_table(path)
    return Experiment(
        key=path.stem,
        paragraphs=experiment_sentences.paragraphs(
            table,
            published=settings.get("published_norms", {}).get(path.stem),
            good=settings.get("good", 1e-2),
        ),
        table=tables.experiment_table(table),
        figure=figures.get(f"experiment_{path.stem}", ""),
    )


WIDTH, QUALITY = 1040, 24
"""Of a figure of one model in the report: pixels, and that of WebP. PNG files stay as they are."""
SHARP_WIDTH, SHARP_QUALITY = 1500, 40
"""Of a figure of all models, whose print is smaller."""
OF_MODELS = ("convergence", "attribution", "work_precision")


def embedded(paths: Sequence[Path]) -> dict[str, str]:
    """Figures by their stem, as addresses that hold the image itself, a fifth of the file's."""
    with ThreadPoolExecutor(2) as threads:  # Pillow works without the interpreter's lock
        images = threads.map(_webp, map(Path, paths))
        return {path.stem: image for path, image in zip(map(Path, paths), images, strict=True)}


def _webp(path: Path) -> str:
    of_one = path.stem.startswith(OF_MODELS)
    width, quality = (WIDTH, QUALITY) if of_one else (SHARP_WIDTH, SHARP_QUALITY)
    with Image.open(path) as image:
        height = round(image.height * width / image.width)
        shown = image.convert("RGB")
        if image.width > width:
            shown = shown.resize((width, height), Image.Resampling.BOX)
        data = io.BytesIO()
        shown.save(data, "WEBP", quality=quality, method=6)
    return f"data:image/webp;base64,{base64.b64encode(data.getvalue()).decode()}"


def glossary(*, good: float, horrible: float) -> dict[str, str]:
    """Terms with their definitions, the thresholds filled in."""
    return {
        term: text.format(good=number(good), horrible=number(horrible))
        for term, text in GLOSSARY.items()
    }


def functionals(kinds: Iterable[str]) -> dict[str, str]:
    """What the functionals of some kinds are, by the name of the kind."""
    families = catalogue("functionals")
    present = [families[kind] for kind in in_order(set(kinds), "functionals") if kind in families]
    return {
        sentence_case(family.label): f"Its value: {family.value}. For {family.purpose}."
        for family in present
    }


def provenance(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """What made the tables: each stage's code once, with Python, platform and packages."""
    seen: dict[str, dict[str, Any]] = {}
    for path in paths:
        record: dict[str, Any] = dict(read_provenance(path))
        if record:
            record["packages"] = json.loads(record["packages"])
            seen.setdefault(f"{record['stage']} {record['code']} {record['platform']}", record)
    return list(seen.values())
