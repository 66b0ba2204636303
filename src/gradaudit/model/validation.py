"""Is a model what it says? Every function is traced twice and the vector field evaluated once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakValueDictionary

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import jaxpr_as_fun

import gradaudit.backend.jax_setup  # noqa: F401  # float64 before anything is traced
from gradaudit.backend.jaxpr.dependence import parameters_read
from gradaudit.backend.jaxpr.purity import constants, effects, python_state, same, types
from gradaudit.backend.once import evaluated
from gradaudit.errors import ModelError, ModelWarning, first_few
from gradaudit.model.definition import Model
from gradaudit.model.derivative_check import slopes, undifferentiable
from gradaudit.model.quadratures import initial_state
from gradaudit.model.rounded_numbers import from_float32
from gradaudit.model.start_events import start_events
from gradaudit.model.trace_errors import explained, index_error

_NARROW = ("float16", "bfloat16", "float32", "complex64")
_PURE = (
    "must be a pure function of its arguments, because JAX calls it once and records what it does"
)
_BRANCH = "Write the branch with jnp.where and declare in events where it switches."
_ARRAYS = "y and p are arrays, whose entries are in the order of states and of parameters."
_checked: WeakValueDictionary[int, Model] = WeakValueDictionary()


def check(model: Model) -> None:
    """Check a model's functions, once for one object.

    A parameter that nothing depends on is most likely a mistake, yet published models have such
    parameters, and their sensitivities, all 0, are right. So it is a `ModelWarning`, no error.

    Raises
    ------
    ModelError
        If a function cannot be traced, is not pure, has the wrong shape or type, or computes with
        float32; or the initial state or its derivative is not finite.
    """
    if _checked.get(id(model)) is model:
        return
    where = f"{model.source}: model {model.name!r}" if model.source else f"model {model.name!r}"
    _check_numbers(model, where)
    read = np.zeros(model.m, dtype=bool)
    traces = {}
    for label, function, arguments, shape in _functions(model):
        closed = _trace(function, arguments, where=where, label=label)
        _check_result(closed, shape, label, f"{where}: {label}", model)
        _check_precision(closed[0], f"{where}: {label}")
        if label not in ("exact_solution", "exact_sensitivities"):
            read |= parameters_read(closed[0], len(arguments) - 1, model.m)
        traces[label] = closed[0]
    # by the traces: no function is called again before its checks have passed
    y0 = _declared_start(model, traces, where)
    at_start = slopes(_first(traces["vector_field"]), 0.0, y0, model.nominal)
    _check_slope(at_start.rates, y0, model, where)
    if start_events(model):
        y0 = np.asarray(initial_state(model, jnp.asarray(model.nominal)))
        _check_finite(y0, model, f"{where}: after its events at t = 0,")
        at_start = slopes(model.vector_field, 0.0, y0, model.nominal)
    sentence = undifferentiable(model, 0.0, y0, at_start)
    if sentence:
        warnings.warn(f"{where}: {sentence}", ModelWarning, stacklevel=2)
    if not read.all():
        idle = [name for name, used in zip(model.parameters, read, strict=True) if not used]
        them = "it" if len(idle) == 1 else "them"
        warnings.warn(
            f"{where}: nothing depends on the parameter{'s' * (len(idle) > 1)} "
            f"{first_few(idle)}; the sensitivities to {them} are 0. "
            f"Remove {them}, or use {them} in the vector field or the initial state.",
            ModelWarning,
            stacklevel=2,
        )
    _checked[id(model)] = model


def check_moved(model: Model, checked: Model) -> None:
    """Check a model that has the functions of a checked one, at other values of its parameters.

    Raises
    ------
    ModelError
        If its initial state or the derivative there is not finite.
    """
    assert model.vector_field is checked.vector_field
    where = f"model {model.name!r}"
    p = jnp.asarray(model.nominal)
    y0 = initial_state(model, p)
    _check_finite(y0, model, f"{where}: the initial value of")
    _check_slope(model.vector_field(jnp.zeros(()), y0, p), y0, model, where)
    _checked[id(model)] = model


def _functions(model: Model) -> Iterator[tuple[str, Callable[..., Any], tuple[Any, ...], Any]]:
    """Label, function, abstract arguments (p is the last) and the shape of the result.

    The shape () stands for one number in whatever form.
    """

    def numbers(*shape: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(shape, jnp.float64)

    t, y, p = numbers(), numbers(model.n), numbers(model.m)
    if model.initial_state is not None:
        yield "initial_state", model.initial_state, (p,), (model.n,)
    yield "vector_field", model.vector_field, (t, y, p), (model.n,)
    for name, integrand in model.integrands.items():
        yield f"integrands[{name!r}]", integrand, (t, y, p), ()
    for name, event in model.events.items():
        yield f"events[{name!r}].when", event.when, (t, y, p), ()
        if event.jump is not None:
            yield f"events[{name!r}].jump", event.jump, (t, y, p), (model.n,)
    if model.exact_solution is not None:
        yield "exact_solution", model.exact_solution, (t, p), (model.n,)
    if model.exact_sensitivities is not None:
        yield "exact_sensitivities", model.exact_sensitivities, (t, p), (model.n, model.m)


def _check_indices(function: Callable[..., Any], arguments: tuple[Any, ...], what: str) -> None:
    error = index_error(function, arguments)
    if error is not None:
        raise ModelError(
            f"{what} reads an entry that does not exist: {error}. Arguments are (t, y, p) with "
            "states and parameters in the declared order, counted from 0."
        ) from error


def _trace(
    function: Callable[..., Any], arguments: tuple[Any, ...], *, where: str, label: str
) -> tuple[Any, Any]:
    """The jaxpr and the abstract result of a function that is pure."""
    what = f"{where}: {label}"
    try:
        first, result = jax.make_jaxpr(lambda *a: function(*a), return_shape=True)(*arguments)
        before = python_state(function)
        second = jax.make_jaxpr(lambda *a: function(*a))(*arguments)
        after = python_state(function)
    except Exception as error:
        raise ModelError(
            explained(error, function, what, branch=_BRANCH, arrays=_ARRAYS)
        ) from error
    _check_indices(function, arguments, what)
    side_effects = effects(first)
    if side_effects:
        raise ModelError(
            f"{what} has a side effect ({', '.join(side_effects)}). It {_PURE}: "
            "remove prints and callbacks. Solvers of optimistix, lineax and diffrax have one "
            "unless they are called with throw=False."
        )
    if not same(first, second):
        raise ModelError(
            f"{what} is another function each time it is called: it uses random numbers, a clock "
            f"or a counter. It {_PURE}. Draw random numbers once at the top of the file, or make "
            "them parameters."
        )
    changed = [name for name in after if name in before and after[name] != before[name]]
    if changed:
        raise ModelError(
            f"{what} changes {first_few(changed)} when it is called. It {_PURE}: "
            "remove the side effect."
        )
    return first, result


def _check_result(traced: Any, shape: Any, label: str, what: str, model: Model) -> None:
    result = traced[1]
    form = "one number" if shape == () else f"one array of shape {shape}"
    states = f", the derivatives of {first_few(model.states)}" if label == "vector_field" else ""
    if not hasattr(result, "shape"):
        raise ModelError(
            f"{what} returns a {type(result).__name__}; it must return {form}{states}. "
            "Make one of several values by jnp.stack([...])."
        )
    fits = np.prod(result.shape) == 1 if shape == () else result.shape == shape
    if not fits:
        raise ModelError(f"{what} returns shape {result.shape}; it must return {form}{states}.")
    if jnp.issubdtype(result.dtype, jnp.complexfloating):
        raise ModelError(
            f"{what} returns complex numbers ({result.dtype}); states are real. Make the real and "
            "the imaginary part two states."
        )
    if result.dtype != jnp.float64 and not label.startswith("exact"):
        if result.dtype == bool and label.endswith(".when"):
            raise ModelError(
                f"{what} returns a truth value; it must return a number, as t - 4.0 does, that is "
                "zero at the event, and no comparison such as t > 4.0."
            )
        raise ModelError(
            f"{what} returns {result.dtype}; it must return float64. Remove casts to another type."
        )


def _check_precision(closed: Any, what: str) -> None:
    narrow = sorted(types(closed) & set(_NARROW))
    if narrow:
        raise ModelError(
            f"{what} computes with {', '.join(narrow)}, which keeps 7 digits or fewer. "
            "Remove dtype=..., astype(...) and constants of that type. If there are none, an array "
            "of JAX was made, or a function traced, before JAX was in double precision: begin the "
            "script with jax.config.update('jax_enable_x64', True)."
        )
    for constant in constants(closed):
        rounded = from_float32(constant)
        if rounded.size:
            raise ModelError(
                f"{what} has the constant {float(rounded[0])!r}, a number that was rounded to "
                f"float32; write {np.float32(rounded[0])!s} as a python number or in float64, and "
                "begin the script with jax.config.update('jax_enable_x64', True)."
            )


def _check_numbers(model: Model, where: str) -> None:
    for kind in ("states", "parameters"):
        for name, (value, _) in getattr(model, kind).items():
            if from_float32(value).size:
                raise ModelError(
                    f"{where}: {kind}[{name!r}] has the value {value!r}, a number that was "
                    f"rounded to float32; write {np.float32(value)!s}."
                )
    if from_float32(model.t_end).size:
        raise ModelError(
            f"{where}: t_end is {model.t_end!r}, a number that was rounded to float32; write "
            f"{np.float32(model.t_end)!s}."
        )
    twice = sorted({name for name in model.observables if model.observables.count(name) > 1})
    if twice:
        raise ModelError(f"{where}: observables names {twice} twice; name each state once.")


def _declared_start(model: Model, traces: dict[str, Any], where: str) -> np.ndarray:
    """The initial state, which is finite, before any event."""
    start = traces.get("initial_state")
    y0 = np.asarray(model.declared_state)
    if start is not None:
        y0 = np.asarray(evaluated(_first(start), jnp.asarray(model.nominal)))
    _check_finite(y0, model, f"{where}: the initial value of")
    return y0


def _check_slope(dy: Any, y0: Any, model: Model, where: str) -> None:
    """The derivative at the start is finite."""
    _check_finite(
        dy,
        model,
        f"{where}: the derivative of",
        f" at t = 0 and y = [{first_few(np.asarray(y0).tolist())}]. "
        "Look for a division by zero, or a logarithm or root of what is negative there",
    )


def _first(closed: Any) -> Callable[..., Any]:
    """The function of a trace, which has one result."""
    whole = jaxpr_as_fun(closed)
    return lambda *arguments: whole(*arguments)[0]


def _check_finite(values: Any, model: Model, what: str, more: str = "") -> None:
    bad = [
        name
        for name, value in zip(model.states, np.asarray(values), strict=True)
        if not np.isfinite(value)
    ]
    if bad:
        raise ModelError(f"{what} {first_few(bad)} is not finite{more}.")
