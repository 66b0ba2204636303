"""Stage: figures of a model, of an experiment, of a sweep, and of all models together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import gradaudit.figures  # noqa: F401  # all that lies there is code of this stage
from gradaudit.figures.style import close, styled
from gradaudit.figures.tooltips import tooltips
from gradaudit.records.figure import EACH, TOOLTIPS, drawings_of, table_name
from gradaudit.records.files import atomic, read_dataset, read_table
from gradaudit.records.provenance import figure_metadata
from gradaudit.records.stage import Stage

Settings = Mapping[str, Any]

STAGE = Stage(about="figures of a model, of the published experiment, of the atlas")


def run(
    kind: str, *, settings: Settings, output_dir: Path, **tables: Path | Sequence[Path]
) -> None:
    """Write the figures of one kind.

    Parameters
    ----------
    kind
        See `gradaudit.records.figure.Drawing`.
    settings
        ``palette``, ``dpi``, the thresholds ``good`` and ``horrible`` of the verdicts, and for the
        published experiment ``published_norm``.
    output_dir
        Folder of the PNG files ``{figure}.png``, or ``{figure}_{model}.png`` for each model.
    tables
        The tables that the figures need, by name; of several files one below the other.
    """
    read = {name: _read(path) for name, path in tables.items()}
    for name, (module, drawing) in drawings_of(kind).items():
        draw = getattr(import_module(module), name)
        frames = [read[table_name(reference)] for reference in drawing.tables]
        facts = _facts(read["reference"].attrs) if drawing.facts else {}
        figure = draw(*frames, **{fact: facts[fact] for fact in drawing.facts}, settings=settings)
        model = _key(read, tables) if kind in EACH else ""
        suffix = f"_{model}" if model else ""
        _save(figure, Path(output_dir) / f"{name}{suffix}.png", settings, model)


def _read(path: Path | Sequence[Path]) -> Any:
    if not isinstance(path, (str, Path)):
        return pd.concat([read_table(one) for one in path], ignore_index=True)
    return read_dataset(path) if Path(path).suffix == ".nc" else read_table(path)


def _facts(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of a model for its figures: its name, and the certified digits of its reference."""
    model = json.loads(attributes["model_json"])
    return {"title": model["name"], "digits": float(attributes["digits"])}


def _key(tables: Mapping[str, Any], paths: Mapping[str, Any]) -> str:
    """The key of the model that a job is about: arrays have it, a table is named after it."""
    for table in tables.values():
        if "model_json" in table.attrs:
            return str(json.loads(table.attrs["model_json"])["key"])
    return Path(next(iter(paths.values()))).stem


def _save(figure: Figure, path: Path, settings: Settings, model: str) -> None:
    """Write a PNG that carries its provenance, and is the same file for the same figure."""
    stamp, dpi = PngInfo(), settings.get("dpi", 150)
    provenance = figure_metadata("figures", settings, model=model)
    for key, text in {"Software": "gradaudit", **provenance}.items():
        stamp.add_text(key, text)
    with styled(settings), atomic(path) as temporary:
        figure.set_dpi(dpi)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        if told := tooltips(figure):
            stamp.add_text(TOOLTIPS, told, zip=True)
        # Nothing shines through; without that channel the file is a quarter smaller.
        drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        drawn.save(temporary, format="PNG", pnginfo=stamp, dpi=(dpi, dpi))
    close(figure)
