"""A jaxpr of scalars evaluated by arrays: equal operations at one depth are one operation.

A model with thousands of terms is thousands of scalar equations, and XLA compiles for a minute what
is in each stage of a step, with its derivatives. Sums are taken whole: each is a row of products of
coefficients and values, so that their order, and with it the last digit, may be another one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

MANY = 1500
"""Equations from which on arrays are worth it: what is compiled runs two to four times as long."""

SEVERAL, ALIKE_EACH = 250, 20
"""They are from so many on where an operation takes the place of so many equations.

A chain of 120 reactions then compiles in 3 s and not in 50, and runs as fast; published models of
300 to 450 equations, of which an operation takes the place of 6, compile no sooner and run three
times as long.
"""

FEW = 3
"""Operations that are left alone, if there are no more of a kind at a depth."""

ALIKE = frozenset(
    ["mul", "div", "exp", "log", "pow", "integer_pow", "sqrt", "neg", "tanh", "log1p", "expm1"]
)
SUMS = frozenset(["add", "sub"])
FLAT = frozenset(["sign", "floor", "ceil", "round", "stop_gradient"])
"""Primitives whose result has no derivative."""

NOTHING, PLUS, MINUS = 0, 1, 2
"""Where 0, 1 and -1 are among the constants."""


class Place(NamedTuple):
    """A number: which entry of which array."""

    array: int
    entry: int


class Term(NamedTuple):
    """A term of a sum: the places of its coefficient and of its value."""

    coefficient: Place
    value: Place


Numbers = Callable[[Literal], int | None]
"""At which place among the numbers of a form a literal is, None if it is no such number."""

Step = Callable[[dict[int, Any]], None]


class Vectorised:
    """The plan of an evaluation; `arrays` are those of its inputs, of numbers and of results."""

    def __init__(self, jaxpr: Any, constants: Sequence[int | None], number: Numbers) -> None:
        self.jaxpr, self.number = jaxpr, number
        self.places: dict[Any, Place] = {}
        self.whole: dict[Any, int] = {}
        self.depths: dict[int, int] = {0: 0, 1: 0}
        self.varying, self.feeding = _varying(jaxpr), _feeding(jaxpr)
        self.steps: list[Step] = []
        self.count = 2  # 0: the constants; 1: the numbers
        self.inputs = [self._given(variable) for variable in jaxpr.invars]
        for variable, start in zip(jaxpr.constvars, constants, strict=True):
            assert start is not None
            assert not variable.aval.shape
            self.places[variable] = Place(1, start)
        self._plan()
        self.result = self._fetched(jaxpr.outvars[0])

    def __call__(self, numbers: Any, *arguments: Any) -> Any:
        """The first result."""
        arrays: dict[int, Any] = {0: np.array([0.0, 1.0, -1.0]), 1: jnp.asarray(numbers)}
        for index, value in zip(self.inputs, arguments, strict=True):
            arrays[index] = jnp.reshape(value, (-1,))
        for step in self.steps:
            step(arrays)
        return self.result(arrays)

    def _new(self, depth: int) -> int:
        self.count += 1
        self.depths[self.count - 1] = depth
        return self.count - 1

    def _given(self, variable: Any) -> int:
        index = self._new(0)
        if variable.aval.shape:
            self.whole[variable] = index
        else:
            self.places[variable] = Place(index, 0)
        return index

    def _place(self, atom: Any) -> Place | None:
        """Where a scalar is; None for a literal that is no number of the form."""
        if not isinstance(atom, Literal):
            return self.places[atom]
        index = self.number(atom)
        return None if index is None else Place(1, index)

    def _plan(self) -> None:
        """Sort the equations by depth, and make one step of those that are alike."""
        sums, within = _sums(self.jaxpr)
        waiting = [eqn for eqn in self.jaxpr.eqns if eqn.outvars[0] not in within]
        depth = 0
        while waiting:
            ready = [e for e in waiting if all(map(self._is_known, _operands(e, sums)))]
            chosen = set(map(id, ready))
            waiting = [e for e in waiting if id(e) not in chosen]
            depth += 1
            groups: dict[Any, list[Any]] = defaultdict(list)
            for eqn in ready:
                groups[self._kind(eqn, sums)].append(eqn)
            for kind, eqns in groups.items():
                if kind is None or (len(eqns) <= FEW and kind[0] != "sum"):
                    for eqn in eqns:
                        self._alone(eqn, depth)
                elif kind[0] == "sum":
                    self._summed([(e.outvars[0], sums[e.outvars[0]]) for e in eqns], depth, kind[1])
                else:
                    self._together(eqns, depth)

    def _is_known(self, atom: Any) -> bool:
        return isinstance(atom, Literal) or atom in self.places or atom in self.whole

    def _kind(self, eqn: Any, sums: Any) -> Any:
        """Equal for equations that are one operation on arrays; None for one that is not.

        All entries of an array vary with the same arguments. Otherwise a constant exponent beside
        one that varies would have a derivative of 0, times the logarithm of a negative base: NaN.
        So would, in reverse, the root of 0 that is only compared beside one that is a result.
        """
        variable, name = eqn.outvars[0], eqn.primitive.name
        if variable in sums:
            length = int(np.ceil(np.log2(len(sums[variable]))))
            return "sum", length, self.varying[variable], variable in self.feeding
        scalar = all(
            a.aval.shape == () and a.aval.dtype == np.float64 for a in (*eqn.invars, variable)
        )
        if name not in ALIKE or not scalar or any(self._place(a) is None for a in eqn.invars):
            return None
        slopes = tuple(self.varying.get(_variable(atom), NOWHERE) for atom in eqn.invars)
        params = tuple(sorted((k, repr(v)) for k, v in eqn.params.items()))
        return name, slopes, variable in self.feeding, params

    def _alone(self, eqn: Any, depth: int) -> None:
        """An equation as it is; a stack of scalars is gathered from the arrays that they are in."""
        indices = [self._new(depth) for _ in eqn.outvars]
        stacked = self._stacked(eqn)
        operands = [self._fetched(atom) for atom in eqn.invars] if stacked is None else []
        for variable, index in zip(eqn.outvars, indices, strict=True):
            if variable.aval.shape:
                self.whole[variable] = index
            else:
                self.places[variable] = Place(index, 0)
        if eqn.primitive.name == "unstack" and len(eqn.invars[0].aval.shape) == 1:
            for entry, variable in enumerate(eqn.outvars):
                self.places[variable] = Place(self.whole[eqn.invars[0]], entry)
            return

        def step(arrays: dict[int, Any]) -> None:
            if stacked is not None:
                arrays[indices[0]] = stacked(arrays)
                return
            results = eqn.primitive.bind(*(of(arrays) for of in operands), **eqn.params)
            results = results if eqn.primitive.multiple_results else [results]
            for index, variable, result in zip(indices, eqn.outvars, results, strict=True):
                arrays[index] = result if variable.aval.shape else jnp.reshape(result, (1,))

        self.steps.append(step)

    def _stacked(self, eqn: Any) -> Callable[[dict[int, Any]], Any] | None:
        scalars = all(a.aval.shape == () and a.aval.dtype == np.float64 for a in eqn.invars)
        if eqn.primitive.name != "stack" or not scalars:
            return None
        places = [self._place(atom) for atom in eqn.invars]
        return None if None in places else self._gathered(places)

    def _together(self, eqns: list[Any], depth: int) -> None:
        """Equations of one primitive with the same parameters."""
        index, first = self._new(depth), eqns[0]
        columns = zip(*(e.invars for e in eqns), strict=True)
        operands = [self._gathered([self._place(atom) for atom in column]) for column in columns]
        for entry, eqn in enumerate(eqns):
            self.places[eqn.outvars[0]] = Place(index, entry)

        def step(arrays: dict[int, Any]) -> None:
            arrays[index] = first.primitive.bind(*(of(arrays) for of in operands), **first.params)

        self.steps.append(step)

    def _summed(self, own: list[tuple[Any, list[Any]]], depth: int, size: int) -> None:
        """Sums of about equal length, 2^size: rows of an array."""
        index, length = self._new(depth), 2**size
        nothing = Term(Place(0, NOTHING), Place(0, NOTHING))
        rows = []
        for entry, (variable, terms) in enumerate(own):
            places = [Term(self._coefficient(c), self._required(v)) for c, v in terms]
            rows += places + [nothing] * (length - len(places))
            self.places[variable] = Place(index, entry)
        coefficients = self._gathered([row.coefficient for row in rows])
        values, shape = self._gathered([row.value for row in rows]), (len(own), length)

        def step(arrays: dict[int, Any]) -> None:
            products = coefficients(arrays) * values(arrays)
            arrays[index] = jnp.sum(jnp.reshape(products, shape), axis=1)

        self.steps.append(step)

    def _coefficient(self, atom: Any) -> Place:
        return Place(0, atom) if isinstance(atom, int) else self._required(atom)

    def _required(self, atom: Any) -> Place:
        place = self._place(atom)
        assert place is not None
        return place

    def _fetched(self, atom: Any) -> Callable[[dict[int, Any]], Any]:
        """A value by itself."""
        if not isinstance(atom, Literal) and atom in self.whole:
            index = self.whole[atom]
            shape = atom.aval.shape
            return lambda arrays: jnp.reshape(arrays[index], shape)
        place = self._place(atom)
        if place is None:
            return lambda arrays: atom.val
        return lambda arrays: arrays[place.array][place.entry]

    def _gathered(self, places: Sequence[Place | None]) -> Callable[[dict[int, Any]], Any]:
        """Numbers from wherever they are, side by side."""
        sources = sorted({place.array for place in places if place is not None})
        chosen = [place for place in places if place is not None]

        def gather(arrays: dict[int, Any]) -> Any:
            offsets = dict(
                zip(sources, np.cumsum([0, *(len(arrays[s]) for s in sources)]), strict=False)
            )
            entries = np.array([offsets[p.array] + p.entry for p in chosen])
            pool = jnp.concatenate([jnp.asarray(arrays[s]) for s in sources])
            if len(entries) == len(pool) and np.array_equal(entries, np.arange(len(pool))):
                return pool
            return pool.at[entries].get(mode="promise_in_bounds")

        return gather


NOWHERE: frozenset[int] = frozenset()


def _variable(atom: Any) -> Any:
    return None if isinstance(atom, Literal) else atom


def _varying(jaxpr: Any) -> dict[Any, frozenset[int]]:
    """The positions of the arguments with respect to which a value has a derivative."""
    found = {variable: frozenset([k]) for k, variable in enumerate(jaxpr.invars)}
    for eqn in jaxpr.eqns:
        own = [found.get(_variable(atom), NOWHERE) for atom in eqn.invars]
        together = NOWHERE.union(*own) if eqn.primitive.name not in FLAT else NOWHERE
        for variable in eqn.outvars:
            smooth = np.issubdtype(variable.aval.dtype, np.inexact)
            found[variable] = together if smooth else NOWHERE
    return found


def _feeding(jaxpr: Any) -> set[Any]:
    """The variables by which the first result has a derivative."""
    feeding = {jaxpr.outvars[0]}
    for eqn in reversed(jaxpr.eqns):
        if eqn.primitive.name not in FLAT and not feeding.isdisjoint(eqn.outvars):
            found = (a for a in eqn.invars if not isinstance(a, Literal))
            feeding.update(a for a in found if np.issubdtype(a.aval.dtype, np.inexact))
    return feeding


def _operands(eqn: Any, sums: Any) -> list[Any]:
    terms = sums.get(eqn.outvars[0])
    if terms is None:
        return list(eqn.invars)
    return [atom for term in terms for atom in term if not isinstance(atom, int)]


def _sums(jaxpr: Any) -> tuple[dict[Any, list[Any]], set[Any]]:
    """The sums, each a list of coefficients and values; and what is within them.

    A coefficient is `PLUS`, `MINUS` or the literal that a term is multiplied by.
    """
    uses: dict[Any, int] = defaultdict(int)
    for atoms in (*(eqn.invars for eqn in jaxpr.eqns), jaxpr.outvars):
        for atom in atoms:
            if not isinstance(atom, Literal):
                uses[atom] += 1
    made = {
        eqn.outvars[0]: eqn
        for eqn in jaxpr.eqns
        if len(eqn.outvars) == 1 and eqn.outvars[0].aval.shape == ()
        and eqn.outvars[0].aval.dtype == np.float64
    }  # fmt: skip
    within: set[Any] = set()

    def inner(atom: Any, *names: str) -> Any:
        """The equation of one of these primitives that makes what is used once, or None."""
        eqn = None if isinstance(atom, Literal) or uses[atom] != 1 else made.get(atom)
        return eqn if eqn is not None and eqn.primitive.name in names else None

    def terms(whole: Any) -> list[Any]:
        found: list[Any] = []
        waiting: list[Any] = [(whole, PLUS)]
        while waiting:
            eqn, sign = waiting.pop()
            if not isinstance(eqn, tuple):
                left, right = eqn.invars
                other = sign if eqn.primitive.name == "add" else PLUS + MINUS - sign
                for atom, its in ((right, other), (left, sign)):
                    more = inner(atom, *SUMS)
                    waiting.append(((atom,), its) if more is None else (more, its))
                    within.update([] if more is None else [atom])
                continue
            atom = eqn[0]
            scaled = inner(atom, "mul") if sign == PLUS else None
            factors = [] if scaled is None else scaled.invars
            literals = [factor for factor in factors if isinstance(factor, Literal)]
            if len(literals) == 1:
                within.add(atom)
                value = next(factor for factor in factors if not isinstance(factor, Literal))
                found.append((literals[0], value))
            else:
                found.append((sign, atom))
        return found

    sums: dict[Any, list[Any]] = {}
    for variable, eqn in reversed(made.items()):
        if eqn.primitive.name in SUMS and variable not in within:
            sums[variable] = terms(eqn)
    return sums, within
