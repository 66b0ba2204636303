"""Models that nobody tuned the estimate to: where they come from, and at which parameter points.

`dysts` (Gilpin 2021, https://github.com/williamgilpin/dysts): its right-hand sides are plain
functions of NumPy, and are called here with jax.numpy in its place. Only its file of systems and
its table of values are read, for the package itself needs libraries that nothing here uses. The
SBML Test Suite: github.com/sbmlteam/sbml-test-suite, cases with events.
"""

from __future__ import annotations

import importlib.util
import json
import re
import types
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

OBSERVATIONS = 11
UNIT = 1e-6  # in which the states of a system are small
PERIODS = 1.5  # of a dysts system: short, so that chaos does not take the digits
MOST_PARAMETERS = 10
MOST_EVENTS = 4  # of a case: dozens of events at one moment take a minute to be looked through
FACTORS = (0.5, 2.0)  # between which each parameter of a drawn point is multiplied


@dataclass(frozen=True)
class Source:
    """A model that can be made: its family, its name, and the function that makes it.

    `points` is the number of parameter points beside the nominal one. `rows` gives the rows of a
    point by some solvers where these are not made from a model.
    """

    family: str
    name: str
    make: Callable[[], Any]
    points: int = 0
    rows: Callable[[int, tuple[str, ...]], Iterator[dict[str, Any]]] | None = None


class SkippedError(Exception):
    """Why a model is left out."""


def at_point(model: Any, number: int, seed: int) -> Any:
    """The model at a parameter point: 0 is nominal, others are drawn, log-uniform in `FACTORS`."""
    if number == 0:
        return model
    draw = np.random.default_rng([seed, number, zlib.crc32(model.name.encode())])
    factors = np.exp(draw.uniform(*np.log(FACTORS), size=model.m))
    moved = {
        name: (value * factor, unit)
        for (name, (value, unit)), factor in zip(model.parameters.items(), factors, strict=True)
    }
    return replace(model, parameters=moved)


def dysts(points: int) -> Iterator[Source]:
    """All systems of dysts that are ordinary differential equations with a static `_rhs`."""
    found = importlib.util.find_spec("dysts")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("dysts is not installed: python -m pip install dysts --no-deps")
    folder = Path(found.submodule_search_locations[0])
    table = json.loads((folder / "data" / "chaotic_attractors.json").read_text())
    systems = _dysts_systems((folder / "flows.py").read_text())
    for name, facts in table.items():
        if name in systems and not facts["delay"]:
            make = _maker(name, systems[name], facts)
            yield Source("dysts", name, make, points=points)


def _dysts_systems(text: str) -> dict[str, Any]:
    """The classes of the file of systems, with jax.numpy as their `np` and bases without code."""
    import jax.numpy as jnp

    text = re.sub(r"^(import|from) .*$", "", text, flags=re.M)

    class Base:
        pass

    module = types.ModuleType("dysts_flows")
    module.__dict__.update(np=jnp, DynSys=Base, DynSysDelay=Base, staticjit=staticmethod)
    exec(compile(text, "dysts/flows.py", "exec"), module.__dict__)
    return {name: own for name, own in vars(module).items() if isinstance(own, type)}


def _maker(name: str, system: Any, facts: dict[str, Any]) -> Callable[[], Any]:
    def make() -> Any:
        import jax.numpy as jnp

        from gradaudit import Model

        rhs = getattr(system, "_rhs", None)
        values = facts["parameters"]
        if rhs is None:
            raise SkippedError("no static _rhs")
        if not all(isinstance(v, (int, float)) for v in values.values()):
            raise SkippedError("parameters that are no numbers")
        values = {k: v for k, v in values.items() if v}
        order = tuple(sorted(facts["parameters"]))  # as dysts itself passes them
        start = np.ravel(np.asarray(facts["initial_conditions"], dtype=float))
        names = tuple(values)[:MOST_PARAMETERS]
        fixed = {k: float(v) for k, v in facts["parameters"].items() if k not in names}

        def field(t: Any, y: Any, p: Any) -> Any:
            given = fixed | dict(zip(names, p, strict=False))
            rates = rhs(*y, t, *[given[k] for k in order])
            return jnp.stack([jnp.asarray(rate, float).reshape(()) for rate in rates])

        parameters = {k: (float(values[k]), "") for k in names}
        begins = {}
        if not parameters:  # then its initial values are what it depends on
            parameters = {f"start{k}": (float(v), "") for k, v in enumerate(start)}
            begins = {"initial_state": lambda p: p}
        return Model(
            name=f"dysts_{name}",
            vector_field=field,
            states={f"state{k}": (float(v), "") for k, v in enumerate(start)},
            parameters=parameters,
            **begins,
            t_end=PERIODS * float(facts["period"]),
            observations=OBSERVATIONS,
        )

    return make


def small(points: int) -> Iterator[Source]:
    """Systems of dysts in a larger unit, so that their states are small numbers.

    Nothing but the unit changes, and the absolute tolerance, which has it, becomes the larger part.
    """
    for source in dysts(points):
        if zlib.crc32(source.name.encode()) % 4 == 2:
            yield replace(source, family="small", make=partial(_in_larger_unit, source.make))


def _in_larger_unit(make: Callable[[], Any]) -> Any:
    model = make()

    def field(t: Any, y: Any, p: Any) -> Any:
        return model.vector_field(t, y / UNIT, p) * UNIT

    states = {name: (value * UNIT, unit) for name, (value, unit) in model.states.items()}
    begin = model.initial_state
    return replace(
        model, name=f"{model.name}_small", vector_field=field, states=states,
        initial_state=None if begin is None else lambda p: UNIT * begin(p),
    )  # fmt: skip


def suite(path: Path, *, count: int, seed: int, points: int) -> Iterator[Source]:
    """Cases of the SBML Test Suite with events, in an order that is drawn; more than `count`.

    Which of them have parameters that act, and a reference, shows when they are solved.
    """
    folders = sorted(f for f in path.iterdir() if f.is_dir() and f.name.isdigit())
    with_events = []
    for folder in folders:
        files = sorted(folder.glob(f"{folder.name}-sbml-l*v*.xml"))
        course = (folder / f"{folder.name}-model.m").read_text(errors="replace")
        if not re.search(r"testType:\s*TimeCourse", course) or not files:
            continue
        if 0 < len(re.findall(r"<event\b", files[-1].read_text(errors="replace"))) <= MOST_EVENTS:
            with_events.append((folder, files[-1]))
    drawn = np.random.default_rng(seed).permutation(len(with_events))
    for index in drawn[: (3 * count) // 2]:
        folder, file = with_events[index]
        yield Source("sbml_events", folder.name, _case(folder, file), points=points)


def _case(folder: Path, file: Path) -> Callable[[], Any]:
    def make() -> Any:
        from gradaudit.model.sbml.importer import load_sbml

        settings = (folder / f"{folder.name}-settings.txt").read_text()
        pairs = dict(line.split(":", 1) for line in settings.splitlines() if ":" in line)
        model = load_sbml(file, t_end=float(pairs["start"]) + float(pairs["duration"]))
        model = replace(model, name=f"sbml_{folder.name}", observations=OBSERVATIONS)
        if not model.events:
            raise SkippedError("no event is left")
        if model.m > 2 * MOST_PARAMETERS:
            raise SkippedError(f"{model.m} parameters")
        return model

    return make


def library(points: int) -> Iterator[Source]:
    """The models of the library, which are those of the atlas at their nominal points."""
    import gradaudit.library as models

    folder = Path(models.__file__).parent
    for file in sorted(folder.glob("*.py")):
        if not file.name.startswith("_"):
            yield Source("library", file.stem, _of_library(file.stem), points=points)


def _of_library(name: str) -> Callable[[], Any]:
    def make() -> Any:
        from gradaudit import load_model

        model = load_model(name)
        return replace(model, observations=OBSERVATIONS, exact_solution=None)

    return make


def stiff(points: int) -> Iterator[Source]:
    """The problems of `stiff.py`."""
    from stiff import PROBLEMS, problem

    for name in PROBLEMS:
        yield Source("stiff", name, partial(problem, name), points=points)


def problems(folder: Path, certified: Path) -> Iterator[Source]:
    """Small published estimation problems whose gradients are certified."""
    from likelihoods import POINTS, SMALL, rows_of_problem

    for name in SMALL:
        rows = partial(rows_of_problem, folder / name, certified / f"{name}.json")
        yield Source("petab", name, lambda: None, points=POINTS - 1, rows=rows)
