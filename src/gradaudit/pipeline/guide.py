"""The tables of the guides that list what is declared, written from the declarations.

A table lies between a line ``<!-- table of KIND ... -->`` and the next ``<!-- end of table -->``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from gradaudit.model.mechanism import Mechanism
from gradaudit.records.catalogue import catalogue

GUIDES = (Path("docs/adding-a-model.md"),)
"""Besides config/README.md, whose tables of keys are made elsewhere."""
_TABLE = re.compile(r"(<!-- table of (\w+)[^>]*-->\n).*?(<!-- end of table -->)", re.DOTALL)


def table(kind: str) -> str:
    """A Markdown table of solvers, methods, functionals or mechanisms, one row per thing."""
    heads: tuple[str, ...]
    rows: Iterable[tuple[str, ...]]
    if kind == "mechanisms":
        heads = ("Mechanism", "What happens")
        rows = [(member.value, member.description) for member in Mechanism]
    elif kind == "functionals":
        heads = ("Kind", "Value J", "For")
        rows = [(f.name, f.value, f.purpose) for f in catalogue(kind).values()]
    elif kind == "methods":
        heads = ("Method", "In report and figures", "Sensitivities by")
        rows = [(m.name, m.label, m.description) for m in catalogue(kind).values()]
    else:
        heads, rows = ("Solver", "Is"), [(s.name, s.description) for s in catalogue(kind).values()]
    body = [(f"`{name}`", *words) for name, *words in rows]
    lines = [heads, ("---",) * len(heads), *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def with_tables(guide: str) -> str:
    """The text of a guide with its tables as the declarations are now."""
    return _TABLE.sub(lambda match: f"{match[1]}\n{table(match[2])}\n{match[3]}", guide)
