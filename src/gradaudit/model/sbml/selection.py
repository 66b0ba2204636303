"""Which numbers of the file become parameters, and which stay numbers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp

from gradaudit.errors import ModelError, ModelWarning, first_few
from gradaudit.model.sbml.equations import Lookup
from gradaudit.model.sbml.formula import Formula
from gradaudit.model.sbml.system import System, formulas, parameters_of


@dataclass(frozen=True)
class Choice:
    """What a user asks for.

    Attributes
    ----------
    fixed
        What stays a number.
    only
        What becomes a parameter, states for their initial values; None for what the file calls a
        parameter.
    asked
        Quantities whose values are asked for.
    """

    fixed: set[str]
    only: set[str] | None = None
    asked: frozenset[str] | set[str] = frozenset()


def with_parameters(
    system: System,
    watched: Iterable[str],
    choice: Choice,
    compared: Iterable[str] = (),
    dosing: Iterable[str] = (),
) -> System:
    """The system with all parameters that rates, initial values, `watched` and `asked` need.

    If they need none, the initial values of states are parameters.

    Not among them are those that `choice` excludes; flags, which are compared for equality,
    `compared` among them; and whole exponents of what is 0 at the start, see `_exponents`. Unless
    they are asked for by name, sizes of compartments, constant species and other constants that the
    file does not call parameters stay numbers, and so do those of `dosing` that nothing else needs:
    times and amounts of doses.

    Raises
    ------
    ModelError
        If nothing depends on a parameter, one has no value, `fixed` names none, or one of `only`
        has to stay a number.
    """
    moving = (system.rate_names(name) for name in system.states)
    rates = set().union(*moving, watched, choice.asked)
    starts = set().union(*(system.start_names(name) for name in system.states))
    always = system.closure(rates)
    needed = always | system.closure(starts, at_start=True)
    candidates = parameters_of(system, needed, set())
    starts_of = {initial_value(name) for name in system.states}
    unknown = sorted(choice.fixed - set(candidates) - starts_of)
    if unknown:
        raise ModelError(
            f"fixed has {first_few(unknown)}, which are no parameters; the parameters are "
            f"{first_few(candidates)}."
        )
    for name in candidates:
        if not math.isfinite(system.symbols[name].number):
            raise ModelError(
                f"{system.symbols[name].kind} {name!r} has no finite value, and the equations need "
                "it; set one in the file."
            )
    used_untimed = (system.rate_names(name, untimed=True) for name in system.states)
    elsewhere = set(choice.asked).union(set(watched) - set(dosing), *used_untimed)
    doses = needed - system.closure(elsewhere, untimed=True)
    doses -= system.closure(starts, at_start=True, untimed=True)
    fixed, begin = _excluded(system, candidates, needed, doses, choice)
    initial = [s.initial for s in system.symbols.values() if s.initial is not None]
    used = formulas(system, always)
    flags = {n for f in (*used, *initial) for r in f.relations if r.equality for n in r.names}
    held = fixed | system.closure(flags | set(compared))
    whole = replace(system, parameters=parameters_of(system, needed, held))
    held |= _exponents(whole, used)
    parameters = parameters_of(system, needed, held) + begin
    if choice.only is not None:
        _all_there(choice.only & set(candidates) - choice.fixed, parameters)
    if not parameters and choice.only is not None:
        parameters = candidates[:1]
    if not parameters:
        parameters = _initial_values(system, held)
    if not parameters:
        raise ModelError(
            "nothing depends on a parameter or on an initial value, so there are no sensitivities "
            "to compute."
        )
    return replace(system, parameters=parameters)


def _excluded(
    system: System, candidates: tuple[str, ...], needed: set[str], doses: set[str], choice: Choice
) -> tuple[set[str], tuple[str, ...]]:
    """What stays a number, and the states whose initial values are parameters."""
    if choice.only is None:
        constants = {name for name in candidates if system.symbols[name].kind != "parameter"}
        return choice.fixed | constants | doses & set(candidates), ()
    begin = tuple(s for s in system.states if s in choice.only & needed - choice.fixed)
    return choice.fixed | (set(candidates) - choice.only), begin


def _all_there(wanted: set[str], parameters: tuple[str, ...]) -> None:
    missing = sorted(wanted - set(parameters))
    if missing:
        raise ModelError(
            f"derivatives with respect to {missing} are asked for, and these have to stay numbers: "
            "they are compared for equality, or are whole exponents of what is 0 at t = 0."
        )


def initial_value(name: str) -> str:
    """The name of the parameter that is the initial value of a state; no id of SBML."""
    return f"{name}(0)"


def of_initial_value(name: str) -> str:
    """The id behind the name of a parameter: its own, or that of the state that begins with it."""
    return name.removesuffix("(0)")


def _initial_values(system: System, held: set[str]) -> tuple[str, ...]:
    """The states whose initial values are parameters, where there are no others."""
    scope = Lookup(system, 0.0, None, jnp.zeros(0))
    found = []
    for name in system.states:
        symbol = system.symbols[name]
        if name in held or initial_value(name) in held or not math.isfinite(float(scope(name))):
            continue
        if symbol.initial is not None:  # a number, as it depends on no parameter
            symbol.number, symbol.initial = float(scope(name)), None
            symbol.given_as_amount = False
        found.append(name)
    return tuple(found)


def nominal(system: System) -> Any:
    """The values of the parameters, (m,)."""
    return jnp.asarray([float(system.symbols[name].number) for name in system.parameters])


def _exponents(system: System, used: Iterable[Formula]) -> set[str]:
    """Parameters that are whole numbers and exponents of what is not positive at t = 0.

    The derivative of x^n with respect to n has log(x) in it: there is no Taylor series of the
    solution at t = 0, and a solver that steps to x < 0 gets NaN. With n a number, x^n is a product.
    """
    scope = Lookup(system, 0.0, None, nominal(system))
    found = {
        name
        for formula in used
        for base, name in formula.powers
        if name in system.parameters
        and float(system.symbols[name].number).is_integer()
        and not float(base(scope)) > 0.0
    }
    if found:
        warnings.warn(
            f"{first_few(sorted(found))}: exponents of what is 0 at t = 0, where the "
            "derivative with respect to an exponent is not smooth. They stay the whole numbers "
            "that they are, and are no parameters.",
            ModelWarning,
            stacklevel=2,
        )
    return found
