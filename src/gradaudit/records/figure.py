"""What a figure says of itself: for what it is drawn, from which tables, and its caption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from gradaudit.errors import SettingError
from gradaudit.records.declarations import declared

EACH = {"model": "models", "experiment": "experiment.models", "sweep": "sweep.models"}
"""Kinds of figures that there is one of for each model, with the key of those models."""
TOGETHER = ("atlas", "trust")
"""Kinds of figures of all models together."""
PROBLEMS = ("problems",)
"""Kinds of figures of all estimation problems together."""
KINDS = (*EACH, *TOGETHER, *PROBLEMS)

TOOLTIPS = "tooltips"
"""Under which a PNG file has what its marks say: see `gradaudit.figures.tooltips`."""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A figure: one module of `gradaudit.figures`, with a function of its name that draws it.

    The function takes the tables in their order, the facts by name and ``settings``, and returns a
    matplotlib figure.

    Attributes
    ----------
    of
        What it is drawn for: each "model", each model of the "experiment" or of the "sweep", or
        once for the "atlas", the "trust" scores or the estimation "problems". Figures of one kind
        are drawn by one job.
    tables
        Outputs of stages, as in `gradaudit.records.stage.Stage`.
    label, category, subcategory
        What Snakemake's own report lists it under.
    caption
        reStructuredText, with the wildcard as ``{{ snakemake.wildcards.model }}``.
    facts
        Of the model's reference: "title", its name, and "digits", those that are certified.
    """

    of: str
    tables: tuple[str, ...]
    label: str
    category: str
    caption: str
    subcategory: str = ""
    facts: tuple[str, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """The tables, and the reference if facts are wanted of it."""
        reference = ("reference",) if self.facts and "reference" not in self.tables else ()
        return (*self.tables, *reference)


def table_name(reference: str) -> str:
    """What a table is called among the inputs of figures: atlas.laws is laws."""
    return reference.rpartition(".")[2]


@cache
def drawings() -> Mapping[str, tuple[str, Drawing]]:
    """Module and declaration of every figure, by its name.

    Raises
    ------
    SettingError
        If one is for a kind of job that there is not.
    """
    by_name = declared("figures", "FIGURE", {"Drawing": Drawing})
    for module, figure in by_name.values():
        if figure.of not in KINDS:
            raise SettingError(
                f"{module}: a figure cannot be of {figure.of!r}; write one of {', '.join(KINDS)}."
            )
    return MappingProxyType(by_name)


def drawings_of(kind: str) -> dict[str, tuple[str, Drawing]]:
    """The figures of one kind: module and declaration by name."""
    return {name: entry for name, entry in drawings().items() if entry[1].of == kind}
