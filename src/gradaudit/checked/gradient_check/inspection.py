"""What is in a function while its solves are replaced, read from its jaxpr."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from gradaudit.backend.jaxpr.walk import inner_jaxprs

REPLACED, ORIGINAL = "gradaudit_exact_solve", "diffeqsolve"
"""Names of compiled functions: of a solve that was replaced, and of diffrax's own."""


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
        Loops of known length over real numbers without a replaced solve in them.
    roundings
        Places where double precision is given up.
    """

    solves: int = 0
    missed: int = 0
    loops: int = 0
    scans: int = 0
    roundings: int = 0

    def __add__(self, other: Program) -> Program:
        return Program(
            self.solves + other.solves,
            self.missed + other.missed,
            self.loops + other.loops,
            self.scans + other.scans,
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
                found += Program(scans=int(real and not inside.solves))
            case "convert_element_type":
                before, after = _width(eqn.invars[0]), _width(eqn.outvars[0])
                found += Program(roundings=int(before == 64 and 0 < after < 64))
    return found


def _width(atom: Any) -> int:
    """Bits of a floating-point number; 0 of anything else."""
    dtype = atom.aval.dtype if hasattr(atom.aval, "dtype") else None
    if dtype is None or not jnp.issubdtype(dtype, jnp.floating):
        return 0
    return jnp.finfo(dtype).bits
