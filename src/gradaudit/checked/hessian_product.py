"""`checked_hvp`: the product of a Hessian and a vector, with an estimate of its error.

With w = dy/dp v the derivative of the solution along v, the derivative of a readout L along v is
``dL/dy w``, and the gradient of this number is H v. Now (y, w) solves a differential equation of
twice the size, ``w' = f_y w + f_p v``. So H v is the checked gradient of a readout of that one:
forward over forward, with the steps controlled for y, w and the derivatives of both, and an error
that is estimated as that of any checked Jacobian, by a second solve of half the step length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import diffrax
import jax
import jax.interpreters.partial_eval as partial_eval
import jax.numpy as jnp
import jax.tree_util as jtu
from jax.flatten_util import ravel_pytree
from numpy.typing import ArrayLike

from gradaudit.backend.jaxpr.branches import FrozenField
from gradaudit.checked.jacobian import CheckedJacobian, checked_jacfwd
from gradaudit.checked.pytrees import as_floats, of_numbers, to_vector
from gradaudit.checked.solver_choice import with_automatic_solver
from gradaudit.checked.user_functions import told
from gradaudit.errors import SettingError

INSTEAD = (
    "Take the Gauss-Newton matrix (gradaudit.fisher_information of the checked Jacobian), whose "
    "first derivatives have a test for switches of their own, or differences of certified "
    "gradients (gradaudit.reference, gradaudit.reference_gradient)."
)
SWITCHES = (
    "checked_hvp: the vector field switches from one branch to another (where, sign, abs, max, "
    "floor) as its states or parameters decide. A second derivative has terms of such a switch "
    "that are not implemented, even where the first one has none. " + INSTEAD + " If the solution "
    "surely never meets the switch, branches=False leaves this test out."
)
PROBLEM = (
    "checked_hvp takes a readout and a vector field, not {what}: second derivatives of declared "
    "models and of estimation problems are not implemented. " + INSTEAD
)


@with_automatic_solver
def checked_hvp(
    readout: Callable[[Any], Any],
    vector_field: Callable[[Any, Any, Any], Any],
    *,
    y0: Any,
    ts: ArrayLike,
    t0: float = 0.0,
    solver: str | diffrax.AbstractSolver = "tsit5",
    rtol: float = 1e-6,
    atol: float | None = None,
    wanted: float = 1e-2,
    dt0: float | None = None,
    dtmax: float | None = None,
    jump_ts: Sequence[float] | None = None,
    branches: bool = True,
    max_steps: int = 100_000,
) -> Callable[[Any, Any], CheckedJacobian]:
    """A function of p and v that gives the derivative of a number along v, and the Hessian times v.

    The parameters are those of `gradaudit.checked_jacfwd`. It costs a checked gradient of a system
    of twice the size, for each v.

    Parameters
    ----------
    readout
        A function of the states at `ts` that returns one number, twice differentiable.
    branches
        Whether to refuse a vector field whose switches depend on states or parameters. Switches at
        fixed times are allowed; name them in `jump_ts`.

    Returns
    -------
    Callable
        Of p and v, pytrees of one structure. Of the `CheckedJacobian` that it returns ``.value`` is
        the derivative along v, ``.jacobian`` is H v, like p, and ``.error`` its estimated error.
        Calibrated numbers (``.relative_error``, ``.interval``) are by the score for first
        derivatives.

    Raises
    ------
    SettingError
        For a vector field that switches, of a readout that is no number, for invalid settings.
    """
    _functions(readout, vector_field)
    readout, vector_field = told("readout", readout), told("vector_field", vector_field)
    y0 = told("y0", y0)

    @of_numbers("p", "v")
    @jax.jit
    def product(p: Any, v: Any) -> CheckedJacobian:
        p, v = as_floats(p, "p"), as_floats(v, "v")
        to_vector(v, p, "v")  # of the same structure
        begin = as_floats(y0(p) if callable(y0) else y0, "y0")
        moving = _refused(vector_field, begin, p) if branches else False
        unit = _unit(p, v)
        along = jtu.tree_map(lambda x: x / unit, v)

        def initial(p: Any) -> Any:
            if not callable(y0):
                return begin, jtu.tree_map(jnp.zeros_like, begin)
            return jax.jvp(lambda p: as_floats(y0(p), "y0"), (p,), (along,))

        def field(t: Any, pair: Any, p: Any) -> Any:
            y, w = pair
            return jax.jvp(lambda y, p: vector_field(t, y, p), (y, p), (w, along))

        def derivative(pair: Any) -> Any:
            number, slope = jax.jvp(readout, (pair[0],), (pair[1],))
            if jnp.shape(number) != ():
                raise SettingError(
                    f"checked_hvp takes a readout that returns one number, not the shape "
                    f"{jnp.shape(number)}; a Hessian of each of its entries takes one call each."
                )
            return slope

        found = checked_jacfwd(
            derivative, field, y0=initial, ts=ts, t0=t0, solver=solver, rtol=rtol, atol=atol,
            wanted=wanted, dt0=dt0, dtmax=dtmax, jump_ts=jump_ts, branches=moving,
            max_steps=max_steps,
        )(p)  # fmt: skip
        value, jacobian, error = (
            jtu.tree_map(lambda x: x * unit, part)
            for part in (found.value, found.jacobian, found.error)
        )
        return found._replace(value=value, jacobian=jacobian, error=error)

    return product


def _functions(*given: Any) -> None:
    for one in given:
        if not callable(one):
            raise SettingError(PROBLEM.format(what=f"a {type(one).__name__}"))


def _unit(p: Any, v: Any) -> Any:
    """The length by which v is divided, so that w has the size of p_j dy/dp_j."""
    size, length = ravel_pytree(p)[0], jnp.abs(ravel_pytree(v)[0])
    size = jnp.where(size != 0.0, jnp.abs(size), 1.0)
    largest = jnp.max(length / size)
    return jnp.where(largest > 0.0, largest, 1.0)


def _refused(vector_field: Callable[..., Any], y: Any, p: Any) -> bool:
    """Whether the vector field switches, at fixed times.

    Raises
    ------
    SettingError
        If it switches where states or parameters decide.
    """
    states, unravel_y = ravel_pytree(y)
    parameters, unravel_p = ravel_pytree(p)

    def field(t: Any, y: Any, p: Any) -> Any:
        rates = vector_field(t, unravel_y(y), unravel_p(p))
        return to_vector(rates, unravel_y(y), "what vector_field returns")

    frozen = FrozenField(field, states.size, parameters.size)
    if not frozen.switches:
        return False

    def margins(t: Any, y: Any, p: Any) -> Any:
        return frozen.margins(t, y, p, frozen.decisions(t, y, p))

    shapes = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in (jnp.zeros(()), states, parameters)]
    traced = jax.make_jaxpr(margins)(*shapes).jaxpr
    _, used = partial_eval.dce_jaxpr(traced, [True] * len(traced.outvars))
    if any(used[1:]):
        raise SettingError(SWITCHES)
    return True
