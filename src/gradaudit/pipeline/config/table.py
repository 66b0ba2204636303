"""The tables of keys in `config/README.md`, made from the types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gradaudit.pipeline.config.fields import Section, extra_of
from gradaudit.pipeline.config.solving import SolverEntry
from gradaudit.pipeline.config.study import Study


def key_table() -> str:
    """One row per key: its default, unit, readers and meaning."""
    head = ["| Key | Default | Unit | Read by | Meaning |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *_rows(Study(), "")]) + "\n"


def entry_table() -> str:
    """One row per key of an entry of `solvers`."""
    rows = [
        f"| `{name}` | {_unit(field)} | {field.description} |"
        for name, field in SolverEntry.model_fields.items()
    ]
    head = ["| Key of an entry | Unit | Meaning |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows]) + "\n"


def _rows(section: Section, prefix: str, inherited: tuple[str, ...] = ()) -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        readers = (*inherited, *extra_of(field).get("stages", ()))
        nested = isinstance(value, Section)
        default = "" if nested else extra_of(field).get("shown") or _shown(value)
        stages = "" if nested else _stages(readers)
        yield f"| {prefix}`{name}` | {default} | {_unit(field)} | {stages} | {field.description} |"
        if isinstance(value, Section):
            yield from _rows(value, "… ", readers)


def _unit(field: Any) -> str:
    return str(extra_of(field).get("unit", ""))


def _stages(readers: tuple[str, ...]) -> str:
    """Stages by name; what none reads shapes the workflow itself."""
    names = dict.fromkeys(reader.partition("_")[0] for reader in readers)
    return ", ".join(names) if names else "the workflow"


def _shown(value: Any) -> str:
    match value:
        case str():
            return (value if " " in value else f"`{value}`") if value else "empty"
        case int() | float():
            return number(value)
        case dict():
            pairs = value.items()
            return ", ".join(
                f"`{k}`" + ("" if isinstance(v, Section) else f": {number(v)}") for k, v in pairs
            )
        case _:
            return ", ".join(map(_shown, value)) if value else "none"


def number(value: float) -> str:
    """A number as YAML reads it: with a point where it has an exponent."""
    if value == 0 or 1e-2 < abs(value) < 1e6:
        return f"{value:g}" if isinstance(value, float) else str(value)
    mantissa, _, exponent = f"{value:.10e}".partition("e")
    digits = mantissa.rstrip("0")
    return (
        f"{digits}0e{int(exponent):+d}" if digits.endswith(".") else f"{digits}e{int(exponent):+d}"
    )
