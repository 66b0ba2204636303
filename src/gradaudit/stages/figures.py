"""Stage: figures of a model, of the published experiment, and of all models together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gradaudit.figures.attribution import attribution
from gradaudit.figures.convergence import convergence
from gradaudit.figures.experiment import experiment
from gradaudit.figures.indicator import indicator
from gradaudit.figures.laws import laws as laws_figure
from gradaudit.figures.laws_axes import laws_axes
from gradaudit.figures.mechanisms import mechanisms
from gradaudit.figures.ranking import ranking as ranking_figure
from gradaudit.figures.regime_map import regime_map
from gradaudit.figures.remedies import remedies as remedies_figure
from gradaudit.figures.skill import skill
from gradaudit.figures.style import close, styled
from gradaudit.figures.sweep import sweep as sweep_figure
from gradaudit.figures.trust import trust
from gradaudit.figures.work_precision import work_precision
from gradaudit.records.files import atomic, read_dataset, read_table
from gradaudit.records.provenance import figure_metadata

Settings = Mapping[str, Any]


def run_model(*, table: Path, reference: Path, settings: Settings, output_dir: Path) -> None:
    """Write convergence, attribution, and work and precision of one model.

    Parameters
    ----------
    table, reference
        Files of the stages evaluate and reference.
    settings
        ``palette``, ``dpi``, and the thresholds ``good`` and ``horrible`` of the verdicts.
    output_dir
        Folder of the PNG files ``{figure}_{model}.png``.
    """
    rows, attributes = read_table(table), read_dataset(reference).attrs
    model = json.loads(attributes["model_json"])
    figures = {
        "convergence": convergence(
            rows, title=model["name"], digits=float(attributes["digits"]), settings=settings
        ),
        "attribution": attribution(rows, title=model["name"], settings=settings),
        "work_precision": work_precision(rows, title=model["name"], settings=settings),
    }
    for name, figure in figures.items():
        _save(figure, Path(output_dir) / f"{name}_{model['key']}.png", settings)


def run_experiment(*, table: Path, traces: Path, settings: Settings, output: Path) -> None:
    """Write the figure of the published experiment; further setting: ``published_norm``."""
    _save(experiment(read_table(table), read_dataset(traces), settings=settings), output, settings)


def run_sweep(*, sweep: Path, settings: Settings, output: Path) -> None:
    """Write the figure of a model along its first parameter."""
    _save(sweep_figure(read_dataset(sweep), settings=settings), output, settings)


def run_atlas(
    *,
    audits: Path,
    verdicts: Path,
    frontier: Path,
    laws: Path,
    ranking: Path,
    remedies: Path,
    regimes: Path,
    settings: Settings,
    output_dir: Path,
) -> None:
    """Write the figures of all models: the maps, the laws, the functionals, the remedies."""
    del frontier
    rows, fitted = read_table(audits), read_table(laws)
    figures = {
        "mechanisms": mechanisms(read_table(regimes), settings=settings),
        "regime_map": regime_map(read_table(verdicts), settings=settings),
        "laws": laws_figure(rows, fitted, settings=settings),
        "laws_axes": laws_axes(rows, fitted, settings=settings),
        "ranking": ranking_figure(read_table(ranking), settings=settings),
        "remedies": remedies_figure(read_table(remedies), settings=settings),
        "indicator": indicator(rows, settings=settings),
    }
    for name, figure in figures.items():
        _save(figure, Path(output_dir) / f"{name}.png", settings)


def run_trust(*, skills: Path, predictions: Path, settings: Settings, output_dir: Path) -> None:
    """Write the skill of the indicators, and the trust score against the truth."""
    told = read_table(predictions)
    drawn = {
        "skill": skill(read_table(skills), told, settings=settings),
        "trust": trust(told, settings=settings),
    }
    for name, figure in drawn.items():
        _save(figure, Path(output_dir) / f"{name}.png", settings)


def _save(figure: Figure, path: Path, settings: Settings) -> None:
    """Write a PNG that carries its provenance, and is the same file for the same figure."""
    stamp, dpi = PngInfo(), settings.get("dpi", 150)
    for key, text in {"Software": "gradaudit", **figure_metadata("figures", settings)}.items():
        stamp.add_text(key, text)
    with styled(settings), atomic(path) as temporary:
        figure.set_dpi(dpi)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        # Nothing shines through; without that channel the file is a quarter smaller.
        drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        drawn.save(temporary, format="PNG", pnginfo=stamp, dpi=(dpi, dpi))
    close(figure)
