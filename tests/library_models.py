"""The models of the library for tests: as they are declared, and checked when one is asked for."""

from __future__ import annotations

from importlib import import_module

import gradaudit
from gradaudit import Model
from gradaudit.model.loading import library_names

DECLARED: dict[str, Model] = {
    name: import_module(f"gradaudit.library.{name}").MODEL for name in library_names()
}
"""Before any check, which takes half a second each; for what tests are made of."""


class _Loaded(dict[str, Model]):
    def __missing__(self, name: str) -> Model:
        self[name] = gradaudit.load_model(name)
        return self[name]


MODELS = _Loaded()
"""By name, loaded at the first use."""
