"""What a key of the configuration says of itself: its meaning, unit and the stages that read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError, core_schema

from gradaudit.records.figure import KINDS

FIGURES = tuple(f"figures_{kind}" for kind in KINDS)
"""The stages that draw, one for each kind of figures."""


class Section(BaseModel):
    """A section of the configuration: unknown keys are refused, and so are texts for numbers."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
    )


def key(
    meaning: str, *, unit: str = "", read_by: tuple[str, ...] = (), shown: str = "", **bounds: Any
) -> Any:
    """What is known of a key, as an annotation of its type.

    Parameters
    ----------
    meaning
        A sentence without a full stop.
    unit
        Of the value; "1" for a number without dimension, empty for what is no quantity.
    read_by
        Stages whose settings hold the key. What only the workflow itself reads has none. A section
        that a stage reads whole names it here, and its keys do not.
    shown
        Default in the table of keys, where the value itself says too little.
    bounds
        Keyword arguments of `pydantic.Field`, such as ``gt=0``.
    """
    extra: dict[str, Any] = {"stages": list(read_by)} if read_by else {}
    if unit:
        extra["unit"] = unit
    if shown:
        extra["shown"] = shown
    return Field(description=meaning, json_schema_extra=extra, **bounds)


def extra_of(field: FieldInfo) -> Mapping[str, Any]:
    """Unit and stages of a key, as `key` has stored them."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def section_of(annotation: Any) -> type[Section] | None:
    """The section in a type, which may be the values of a dict; None where there is none."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    sections = (section_of(argument) for argument in get_args(annotation))
    return next((section for section in sections if section is not None), None)


def is_mapping(annotation: Any) -> bool:
    """Whether a type is a dict, whose keys are the user's."""
    if get_origin(annotation) is Annotated:
        return is_mapping(get_args(annotation)[0])
    return get_origin(annotation) is dict


def _whole(value: Any) -> Any:
    """A whole number may be written 1.0e5; a text or a boolean is refused."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


class _Unique:
    """Refuses a list in which a name is repeated, here and in the JSON schema."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "uniqueItems": True}

    @staticmethod
    def _check(names: list[str]) -> list[str]:
        for name in names:
            if names.count(name) > 1:
                raise PydanticCustomError("repeated", "{name} is repeated", {"name": repr(name)})
        return names


Whole = Annotated[int, BeforeValidator(_whole)]
Text = Annotated[str, Field(min_length=1)]
Tolerance = Annotated[float, Field(gt=0, lt=1)]
Fraction = Annotated[float, Field(gt=0)]
Names = Annotated[list[Text], _Unique()]
