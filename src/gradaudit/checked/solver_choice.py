"""The solver "auto" of a checked Jacobian: chosen at the first call, and then kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec

import jax
import jax.numpy as jnp
import jax.tree_util as jtu
import numpy as np
from jax.flatten_util import ravel_pytree

from gradaudit.checked.pytrees import as_floats, to_vector
from gradaudit.checked.user_functions import told
from gradaudit.errors import SettingError, forward_mode_by_name
from gradaudit.sensitivity.solver_choice import EXPLICIT, FIXED_TIMES, Look, look
from gradaudit.solvers.registry import AUTO

Settings = ParamSpec("Settings")

NO_NUMBERS = (
    'solver="auto" looks at the numbers of p and y0, and inside of jit, vmap or scan there are '
    "none: call the function once outside first, which fixes the choice, or name a solver."
)


@jtu.register_static
@dataclass(frozen=True)
class Chosen:
    """The solver that "auto" stands for, and why; no leaf of a pytree."""

    solver: str
    why: str


def with_automatic_solver(build: Callable[Settings, Any]) -> Callable[Settings, Any]:
    """Let a function that builds a checked function take solver="auto".

    Its first two arguments are the readout and the vector field, and the first argument of what it
    builds is p.
    """

    @wraps(build)
    def built(*args: Settings.args, **settings: Settings.kwargs) -> Any:
        solver = settings.get("solver")
        if not (isinstance(solver, str) and solver == AUTO):
            return build(*args, **settings)
        _with(build, args, settings, EXPLICIT)  # which checks all of the others now
        chosen: list[tuple[Any, Chosen]] = []

        def automatic(p: Any, *others: Any) -> Any:
            if not chosen:
                with forward_mode_by_name("the vector field"):
                    found = _looked(args, settings, p)
                run = _with(build, args, settings, found.solver)
                chosen.append((run, Chosen(found.solver, found.why)))
            run, own = chosen[0]
            return run(p, *others)._replace(chosen=own)

        return automatic

    return built


def _with(build: Any, args: Any, settings: Any, solver: str) -> Any:
    return build(*args, **{**settings, "solver": solver})


def _looked(args: Any, settings: Any, p: Any) -> Look:
    """A look at the vector field among the arguments, at p."""
    given = {**dict(zip(("readout", "vector_field"), args, strict=False)), **settings}
    vector_field, y0 = told("vector_field", given["vector_field"]), told("y0", given["y0"])
    jumps = given.get("jump_ts")
    p = as_floats(p, "p")
    begin = as_floats(y0(p) if callable(y0) else y0, "y0")
    start, unravel = ravel_pytree(begin)
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jtu.tree_leaves((p, start))):
        raise SettingError(NO_NUMBERS)

    def rate(t: Any, y: Any) -> Any:
        rates = vector_field(jnp.asarray(t, float), unravel(y), p)
        return to_vector(rates, begin, "what vector_field returns")

    times = np.asarray(given["ts"], dtype=np.float64)
    return look(
        jax.jit(rate),
        jax.jit(jax.jacfwd(rate, argnums=1)),
        start,
        float(given.get("t0", 0.0)),
        float(times[-1]),
        left_out="" if jumps is None else FIXED_TIMES,
    )
