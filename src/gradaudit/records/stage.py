"""What a stage says of itself: what it reads and writes, for what, and in which process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Output:
    """A file that a stage writes.

    Attributes
    ----------
    path
        Below the folder of the results, with the wildcards ``{model}`` and ``{solver}``.
    about
        What it is, for the help of the command.
    """

    path: str
    about: str


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of the workflow: one module of `gradaudit.stages`, a rule, a command.

    Names of inputs, outputs and params are options of the command and arguments of the function
    ``run`` of the module, beside ``settings``.

    Attributes
    ----------
    about
        What it makes, for the help of the command.
    each
        The wildcards that one job is for: none, ``model``, or ``model`` and ``solver``.
    models
        Key of the configuration with the models that it is for.
    problems
        Whether it is for the estimation problems among them, or for the others. A stage for all
        together may be for both: then a study may have either, and inputs that nothing writes are
        left out.
    solvers
        "every" entry of `solvers` that is for the model, or those that are a solver "as_it_is".
    process
        Where its jobs run: "solving" with JAX, "tables" without, "own" in a process of their own.
        A solving stage is given the model.
    inputs
        Outputs of other stages by the name that they have here: ``stage`` for its output of the
        name "output", else ``stage.name``. If that stage has jobs for more, it is a list of files.
    outputs
        Files by name.
    params
        Further options, by name, with what they mean.
    """

    about: str
    each: tuple[str, ...] = ()
    models: str = "models"
    problems: bool | Literal["both"] = False
    solvers: Literal["every", "as_it_is"] = "every"
    process: Literal["solving", "tables", "own"] = "tables"
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, Output] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
