"""The JSON schema of the configuration, for editors and for a reader: made from the types."""

from __future__ import annotations

from typing import Any

import yaml

from gradaudit.pipeline.config.fields import Section
from gradaudit.pipeline.config.study import Study

HEAD = "# Generated from gradaudit.pipeline.config by `make format`; edit the classes there.\n"
_BOUNDS = {"ge": "minimum", "le": "maximum"}  # as pydantic names them behind a validator


def schema() -> dict[str, Any]:
    """The schema, with the unit and the stages of every key as annotations."""
    made = _plain(Study.model_json_schema())
    defaults = Study().plain()
    for name, part in made["properties"].items():
        # A section is filled in by its own keys.
        nested = isinstance(getattr(Study(), name), Section)
        part["default"] = {} if nested else defaults[name]
    definitions = made.pop("$defs")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of gradaudit",
        **made,
        "$defs": definitions,
    }


def schema_text() -> str:
    """The schema as a YAML file."""
    return HEAD + yaml.safe_dump(schema(), sort_keys=False, width=100, allow_unicode=True)


def _plain(node: Any, *, names: bool = False) -> Any:
    """A schema without what pydantic adds; `names` where the keys are those of users."""
    if isinstance(node, list):
        return [_plain(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    if names:
        return {key: _plain(value) for key, value in node.items()}
    alternatives = [entry for entry in node.get("anyOf", []) if entry != {"type": "null"}]
    if len(alternatives) == 1:  # a key that may be left out
        rest = {key: value for key, value in node.items() if key not in ("anyOf", "default")}
        return _plain({**alternatives[0], **rest})
    dropped = {"title", "shown"}
    return {
        _BOUNDS.get(key, key): _plain(value, names=key in ("properties", "$defs"))
        if key != "default"
        else value
        for key, value in node.items()
        if key not in dropped
    }
