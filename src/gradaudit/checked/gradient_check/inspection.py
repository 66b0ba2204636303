"""What is in a function while its solves are replaced, read from its jaxpr."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from gradaudit.backend.jaxpr.walk import inner_jaxprs

REPLACED, ORIGINAL = "gradaudit_exact_solve", "diffeqsolve"
"""Names of compiled functions: of a solve that was replaced, and of diffrax's own."""
CAST = "convert_element_type"
OF_JAX = ("polyval", "expm")
"""And of functions of JAX with loops that are no solvers; dense output has polynomials."""


@dataclass(frozen=True)
class Program:
    """Counts of what decides whether the derivative of the exact solution can be known.

    Attributes
    ----------
    solves, missed
        Solves that were replaced, and solves of diffrax that were not.
    loops
        Loops of unknown length over real numbers that are no replaced solve.
    scans
        Loops of known length without a replaced solve in them, in which a real number depends on
        its last value, other than as a sum to which is added.
    outside
        Calls of code that is not JAX and returns real numbers.
    roundings
        Places where double precision is given up.
    """

    solves: int = 0
    missed: int = 0
    loops: int = 0
    scans: int = 0
    outside: int = 0
    roundings: int = 0

    def __add__(self, other: Program) -> Program:
        return Program(
            self.solves + other.solves,
            self.missed + other.missed,
            self.loops + other.loops,
            self.scans + other.scans,
            self.outside + other.outside,
            self.roundings + other.roundings,
        )


def inspect(jaxpr: Any) -> Program:
    """Counts over a jaxpr (not closed) and all that is inside of it."""
    found = Program()
    for eqn in jaxpr.eqns:
        name = eqn.params.get("name", "")
        if name == REPLACED:
            found += Program(solves=1)
            continue
        if name in OF_JAX:
            continue
        if name == ORIGINAL:
            found += Program(missed=1)
            continue
        inside = Program()
        for inner in inner_jaxprs(eqn):
            inside += inspect(inner)
        found += inside
        real = any(_width(atom) for atom in eqn.outvars)
        match eqn.primitive.name:
            case "while":
                found += Program(loops=int(real))
            case "scan":
                found += Program(scans=int(_recursive(eqn) and not inside.solves))
            case "pure_callback" | "io_callback" | "ffi_call" | "call_exported":
                found += Program(outside=int(real and not _raises(eqn)))
            case name if name == CAST:
                before, after = _width(eqn.invars[0]), _width(eqn.outvars[0])
                found += Program(roundings=int(before == 64 and 0 < after < 64))
    return found


def _recursive(scan: Any) -> bool:
    """Whether a real number in it depends on its last value, and is no sum of other numbers."""
    body, begin = scan.params["jaxpr"].jaxpr, scan.params["num_consts"]
    count = scan.params["num_carry"]
    before, after = body.invars[begin : begin + count], body.outvars[:count]
    uses = [atom for eqn in body.eqns for atom in eqn.invars if not hasattr(atom, "val")]
    uses += [atom for atom in body.outvars if not hasattr(atom, "val")]
    by_name = {
        eqn.outvars[0]: eqn for eqn in body.eqns if eqn.primitive.name in ("add", "add_any", CAST)
    }
    for old, new in zip(before, after, strict=True):
        if not _width(old) or old is new or hasattr(new, "val"):
            continue
        last = by_name.get(new)
        terms = [] if last is None else list(last.invars)
        terms += [by_name[term].invars[0] for term in terms if _is_cast(by_name, term)]
        if uses.count(old) > 1 or not any(old is term for term in terms):
            return True
    return False


def _is_cast(equations: dict[Any, Any], atom: Any) -> bool:
    if hasattr(atom, "val") or atom not in equations:
        return False
    return bool(equations[atom].primitive.name == CAST)


def _raises(call: Any) -> bool:
    """Whether it is a check by equinox, which returns what it is given or raises."""
    function = getattr(call.params.get("callback"), "callback_func", None)
    return str(getattr(function, "__module__", "")).startswith("equinox")


def _width(atom: Any) -> int:
    """Bits of a floating-point number; 0 of anything else."""
    dtype = atom.aval.dtype if hasattr(atom.aval, "dtype") else None
    if dtype is None or not jnp.issubdtype(dtype, jnp.floating):
        return 0
    return jnp.finfo(dtype).bits
