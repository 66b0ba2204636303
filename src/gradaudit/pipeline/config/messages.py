"""What is wrong with a value of the configuration, where, and what to write instead."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gradaudit.model.spec import hint
from gradaudit.pipeline.config.fields import Section, extra_of, is_mapping, section_of
from gradaudit.pipeline.config.files import Place, dotted
from gradaudit.pipeline.config.study import Study

_KINDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
}


def explain(error: Mapping[str, Any]) -> str:
    """One line for one problem of pydantic: its ``type``, ``loc``, ``input`` and ``ctx``."""
    kind, value = error["type"], error["input"]
    place: Place = error["loc"]
    if kind == "extra_forbidden":
        return _unknown_key(place)
    if kind in ("float_type", "int_type") and isinstance(value, str) and _is_numeral(value):
        return (
            f"{dotted(place)}: {value!r} is a text, not a number. YAML takes 1e-6 for a text: "
            f"write it with a point, {_with_point(value)}."
        )
    return f"{dotted(place)}: {_wrong(kind, value, error)}.{_meaning(place)}"


def _wrong(kind: str, value: Any, error: Mapping[str, Any]) -> str:
    context = error.get("ctx", {})
    match kind:
        case _ if kind in _KINDS:
            return f"{value!r} is not {_KINDS[kind]}"
        case "finite_number":
            return f"{value!r} is not a finite number"
        case "greater_than":
            return f"{value!r} is too small: it must be above {context['gt']:g}"
        case "greater_than_equal":
            return f"{value!r} is too small: it must be at least {context['ge']:g}"
        case "less_than":
            return f"{value!r} is too large: it must be below {context['lt']:g}"
        case "less_than_equal":
            return f"{value!r} is too large: it must be at most {context['le']:g}"
        case "literal_error":
            choices = [
                word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")
            ]
            return f"{value!r} is not one of {', '.join(choices)}{hint(str(value), choices)}"
        case "too_short" | "too_long":
            length = context.get("min_length", context.get("max_length"))
            bound = "at least" if kind == "too_short" else "at most"
            return f"{context['actual_length']} entries; write {bound} {length}"
        case "string_too_short":
            return "the text is empty"
        case "repeated":
            return f"{error['msg']}; name it once"
        case _:
            return f"{value!r} is invalid: {error['msg']}"


def _unknown_key(place: Place) -> str:
    name = str(place[-1])
    section, _ = _look_up(place[:-1])
    known = list(section.model_fields) if section else []
    return (
        f"{dotted(place[:-1])}: unknown key {name!r}{hint(name, known)}; known: {', '.join(known)}."
    )


def _meaning(place: Place) -> str:
    _, meaning = _look_up(place)
    return f" ({meaning})" if meaning else ""


def _look_up(place: Place) -> tuple[type[Section] | None, str]:
    """The section at a place, if there is one, and the meaning and unit of the key there."""
    section: type[Section] | None = Study
    meaning = ""
    names = iter(place)
    for name in names:
        field = section.model_fields.get(str(name)) if section else None
        if field is None:  # an entry of a list
            break
        unit = extra_of(field).get("unit", "")
        meaning = f"{field.description}" + (f"; in {unit}" if unit not in ("", "1") else "")
        section = section_of(field.annotation)
        if is_mapping(field.annotation):
            next(names, None)  # a name that the user has given
    return section, meaning


def _is_numeral(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _with_point(text: str) -> str:
    mantissa, marker, exponent = text.lower().partition("e")
    return f"{mantissa}.0{marker}{exponent}" if marker and "." not in mantissa else str(float(text))
