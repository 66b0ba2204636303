"""A model as text in DiffSL, the language of the solver diffsol.

casadi's list of instructions is written down one line an instruction. Inputs are q_j, with
p_j = q_j |p_j|, so that tolerances of sensitivities hold for p_j dy/dp_j.
"""

from __future__ import annotations

import math
from typing import Any

import casadi
import numpy as np

from gradaudit.errors import TranslationError
from gradaudit.model.definition import Model
from gradaudit.sensitivity.external.casadi_translate import casadi_system

# Only what the language has: a function that its compiler cannot differentiate ends the process.
_FORMS = {
    casadi.OP_ASSIGN: "{0}",
    casadi.OP_ADD: "{0} + {1}",
    casadi.OP_SUB: "{0} - {1}",
    casadi.OP_MUL: "{0} * {1}",
    casadi.OP_DIV: "{0} / {1}",
    casadi.OP_NEG: "-{0}",
    casadi.OP_INV: "1.0 / {0}",
    casadi.OP_SQ: "{0} * {0}",
    casadi.OP_TWICE: "2.0 * {0}",
    casadi.OP_EXP: "exp({0})",
    casadi.OP_LOG: "log({0})",
    casadi.OP_SQRT: "sqrt({0})",
    casadi.OP_SIN: "sin({0})",
    casadi.OP_COS: "cos({0})",
    casadi.OP_COSH: "cosh({0})",
    casadi.OP_SINH: "sinh({0})",
    casadi.OP_TANH: "tanh({0})",
    casadi.OP_POW: "pow({0}, {1})",
    casadi.OP_CONSTPOW: "pow({0}, {1})",
}


def diffsl(model: Model) -> str:
    """The program of a model: inputs, y0, and the right-hand sides of states and integrals.

    Raises
    ------
    TranslationError
        If the model has something that has no counterpart, branches among them.
    """
    system = casadi_system(model)
    where = f"model {model.name!r}"
    scales = model.parameter_scale
    inputs = [f"q{j} = {_number(q)}" for j, q in enumerate(model.nominal / scales)]
    parameters = [f"p{j}" for j in range(model.m)]
    states = [f"y{i}" for i in range(system.rates.numel())]
    before, initial = _lines("a", [(system.parameters, parameters)], system.initial, where)
    known = [(system.t, ["t"]), (system.states, states), (system.parameters, parameters)]
    during, rates = _lines("b", known, system.rates, where)
    initial += ["0.0"] * (len(states) - model.n)
    return "\n".join(
        [
            f"in_i {{ {', '.join(inputs)} }}",
            *(f"p{j} {{ {_number(scale)} * q{j} }}" for j, scale in enumerate(scales)),
            *before,
            f"u_i {{ {', '.join(f'{y} = {v}' for y, v in zip(states, initial, strict=True))} }}",
            *during,
            f"F_i {{ {', '.join(rates)} }}",
        ]
    )


def _lines(
    prefix: str, known: list[tuple[Any, list[str]]], result: Any, where: str
) -> tuple[list[str], list[str]]:
    """One line for every intermediate value, and the names of the entries of `result`."""
    function = casadi.Function("f", [symbols for symbols, _ in known], [casadi.cse(result)])
    lines: list[str] = []
    held: dict[int, str] = {}  # what a place of casadi's working memory holds at the moment
    entries = ["0.0"] * result.numel()
    rows = function.sparsity_out(0).row()
    for k in range(function.n_instructions()):
        operation = function.instruction_id(k)
        sources, targets = function.instruction_input(k), function.instruction_output(k)
        if operation == casadi.OP_INPUT:
            held[targets[0]] = known[sources[0]][1][sources[1]]
        elif operation == casadi.OP_CONST:
            held[targets[0]] = f"({_number(function.instruction_constant(k))})"
        elif operation == casadi.OP_OUTPUT:
            entries[rows[targets[1]]] = held[sources[0]]
        elif operation in _FORMS:
            name = f"{prefix}{len(lines)}"
            text = _FORMS[operation].format(*(held[source] for source in sources))
            lines.append(f"{name} {{ {text} }}")
            held[targets[0]] = name
        else:
            raise TranslationError(f"{where}: casadi's operation {operation} is not in DiffSL.")
    return lines, entries


def _number(x: float) -> str:
    if not math.isfinite(x):
        raise TranslationError(f"the number {x} cannot be written in DiffSL.")
    return np.format_float_scientific(x, trim="0")
