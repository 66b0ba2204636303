"""Configuration files as text: broken YAML, keys that are set twice, and the line of every key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gradaudit.errors import SettingError

Place = tuple[str | int, ...]
"""Where a value is: keys, and places in lists."""


@dataclass(frozen=True)
class Source:
    """A configuration file: its path, what it says, and the line of every key and entry."""

    path: Path
    data: Any
    lines: dict[Place, int]


def read_source(path: Path) -> Source:
    """Read a configuration file.

    Raises
    ------
    SettingError
        With file and line, for a text that is not YAML or a key that is set twice.
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f":{mark.line + 1}" if mark else ""
        raise SettingError(
            f"{path}{at}: invalid YAML: {error.problem}. Check indentation, quotes and brackets."
        ) from None
    entries = list(_entries(tree, ()))
    lines: dict[Place, int] = {}
    repeated = []
    for place, line in entries:
        if place in lines:
            repeated.append(
                f"{path}:{line}: {dotted(place)} is set twice, here and on line {lines[place]}; "
                "keep one of them."
            )
        lines.setdefault(place, line)
    if repeated:
        raise invalid(repeated)
    return Source(path, data, lines)


def line_of(sources: Sequence[Source], place: Place, value: Any) -> str:
    """``file:line: `` of a value; empty where no file says that value at that place."""
    for source in reversed(sources):  # a later file overrides an earlier one
        if place in source.lines and _at(source.data, place) == value:
            return f"{source.path}:{source.lines[place]}: "
    return ""


def dotted(place: Place) -> str:
    """A place as a text, such as ``experiment.tolerances[2]``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".") or "top level"


def invalid(lines: Iterable[str]) -> SettingError:
    """The error that shows one line for every problem."""
    return SettingError("invalid configuration:\n  " + "\n  ".join(lines))


def _entries(node: yaml.Node | None, place: Place) -> Iterator[tuple[Place, int]]:
    """Every key and entry below a node, with its line, in the order of the file."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*place, key.value)
            yield here, key.start_mark.line + 1
            yield from _entries(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*place, index), value.start_mark.line + 1
            yield from _entries(value, (*place, index))


def _at(data: Any, place: Place) -> Any:
    for part in place:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data
