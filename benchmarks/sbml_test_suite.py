"""How many cases of the SBML Test Suite are right, how many are wrong, and what is refused?

Takes the semantic time courses of a checkout of github.com/sbmlteam/sbml-test-suite, of each the
file of the highest level and version. A case is right if all its variables are within its
tolerances at all its times. Solves are those of `event_loop`, which shares no code with the solves
of the package. With --gradients, sensitivities of the method "saltation" are compared with
differences of that loop.

    python benchmarks/sbml_test_suite.py PATH/cases/semantic [--cases 00001 00002] [--jobs 2]
    python benchmarks/sbml_test_suite.py PATH/cases/semantic --gradients 200 --seed 1
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import multiprocessing
import re
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

warnings.simplefilter("ignore")
np.seterr(all="ignore")


@dataclass
class Case:
    """A case of the suite: its file, settings and expected results."""

    path: Path
    settings: dict[str, str]
    columns: list[str]
    expected: Any

    @classmethod
    def read(cls, folder: Path) -> Case:
        name = folder.name
        path = sorted(folder.glob(f"{name}-sbml-l*v*.xml"))[-1]
        lines = (folder / f"{name}-settings.txt").read_text().splitlines()
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        settings = {key.strip(): value.strip() for key, value in pairs}
        with (folder / f"{name}-results.csv").open() as file:
            header, *rows = [row for row in csv.reader(file) if row]
        numbers = np.array([[float(x) for x in row] for row in rows if len(row) == len(header)])
        return cls(path, settings, [column.strip() for column in header], numbers)

    def names(self, key: str) -> list[str]:
        return [v.strip() for v in self.settings.get(key, "").split(",") if v.strip()]


def is_time_course(folder: Path) -> bool:
    """Whether a case is a time course, not a steady state of a flux balance."""
    text = (folder / f"{folder.name}-model.m").read_text(errors="replace")
    return re.search(r"testType:\s*TimeCourse", text) is not None


def translated(case: Case) -> Any:
    """The model of a case, over its window, with all its quantities."""
    from gradaudit.model.sbml.importer import translate

    return translate(case.path, t_end=float(case.expected[-1, 0]))


def solved(case: Case, translation: Any, *, p: Any = None, rtol: float = 1e-9) -> Any:
    """The states at the times of a case, (T, n)."""
    from event_loop import Functions, simulate

    model = translation.model
    size = np.abs(model.declared_state)
    atol = np.where(size > 0, np.minimum(size, 1.0), 1.0) * rtol * 1e-3
    atol = np.minimum(atol, float(case.settings["absolute"]) * 1e-3)
    p = model.nominal if p is None else p
    return simulate(Functions(model), p, case.expected[:, 0], rtol=rtol, atol=atol)


def values(case: Case, translation: Any, states: Any) -> Any:
    """The variables of the case from states, (T, V)."""
    import jax
    import jax.numpy as jnp

    symbols, model = translation.layout.system.symbols, translation.model
    amounts, concentrations = case.names("amount"), case.names("concentration")

    def at(t: Any, y: Any) -> Any:
        scope, row = translation.lookup(t, y, jnp.asarray(model.nominal)), []
        for name in case.columns[1:]:
            symbol = symbols.get(name)
            if symbol is None:
                raise KeyError(name)
            value = scope(name)
            if name in amounts and symbol.volume:
                value = value * scope(symbol.volume)
            if name in concentrations and symbol.kind == "species" and not symbol.volume:
                value = value / scope(symbol.compartment)
            row.append(jnp.asarray(value, jnp.float64).reshape(()))
        return jnp.stack(row)

    return np.asarray(jax.jit(jax.vmap(at))(case.expected[:, 0], states))


def judged(folder: Path) -> dict[str, Any]:
    """The outcome of a case: right, wrong, or refused with a message."""
    from event_loop import LoopError

    from gradaudit import ModelError

    started = time.perf_counter()
    case = Case.read(folder)
    try:
        translation = translated(case)
        found = values(case, translation, solved(case, translation))
    except (ModelError, LoopError) as error:
        message = str(error).replace(f"{case.path}: ", "")
        kind = "refused" if isinstance(error, ModelError) else "unsolved"
        return {"case": folder.name, "outcome": kind, "message": message}
    except Exception as error:  # a benchmark goes on
        message = f"{type(error).__name__}: {error}"
        return {"case": folder.name, "outcome": "error", "message": message[:300]}
    expected = case.expected[:, 1:]
    allowed = float(case.settings["absolute"]) + float(case.settings["relative"]) * abs(expected)
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    bad = ~(same | (abs(found - expected) <= allowed))
    message = ""
    if bad.any():
        row, column = np.argwhere(bad)[0]
        message = (
            f"{case.columns[1 + column]} at {case.expected[row, 0]:g}: {found[row, column]:.9g}, "
            f"expected {expected[row, column]:.9g}"
        )
    return {
        "case": folder.name,
        "outcome": "wrong" if bad.any() else "right",
        "message": message,
        "events": len(translation.model.events),
        "constant": list(translation.model.states) == ["constant"],
        "m": translation.model.m,
        "seconds": time.perf_counter() - started,
    }


PARAMETERS = 6  # per case, drawn at random
PARTS = (0.3718, 0.6181, 0.9873)  # of the window: times at which no output of the suite lies
STEP = 3e-4  # of a parameter
AGREES = 1e-5  # of the largest sensitivity of a state, or of the state


def graded(work: tuple[Path, int]) -> dict[str, Any]:
    """Sensitivities of the package against differences of the event loop."""
    from event_loop import Functions, simulate

    import gradaudit

    folder, seed = work
    case, started = Case.read(folder), time.perf_counter()
    try:
        model = translated(case).model
        if not model.events and not np.any(
            model.vector_field(0.1, model.declared_state, model.nominal)
        ):
            return {"case": folder.name, "outcome": "nothing changes", "message": "", "events": 0}
        times = model.t_end * np.array(PARTS)
        result = gradaudit.sensitivities(
            model, method="saltation", solver="dopri8", rtol=1e-10, times=times
        )
        columns = np.random.default_rng(seed).permutation(model.m)[:PARAMETERS]
        functions, size = Functions(model), np.abs(result.states).max(axis=0)
        atol = np.where(size > 0, np.minimum(size, 1.0), 1.0) * 1e-15

        def at(j: int, step: float) -> Any:
            p = model.nominal.copy()
            p[j] += step
            return simulate(functions, p, times, rtol=1e-12, atol=atol)

        worst, where = 0.0, ""
        nominal = at(0, 0.0)
        states = np.abs(nominal - result.states).max(axis=0) / np.where(size > 0, size, 1.0)
        for j in columns:
            h = STEP * model.parameter_scale[j]
            coarse, fine = ((at(j, k * h) - at(j, -k * h)) / (2 * k * h) for k in (1.0, 0.5))
            exact = (4.0 * fine - coarse) / 3.0 * model.parameter_scale[j]
            noise = 3.0 * np.abs(fine - coarse) * model.parameter_scale[j]
            found = result.sensitivities[:, :, j] * model.parameter_scale[j]
            scale = np.maximum(np.abs(exact).max(axis=0), size)
            scale = np.where(scale > 0, scale, 1.0)
            error = np.abs(found - exact) / (scale * AGREES + 0.01 * noise)
            i = int(np.nanargmax(error.max(axis=0)))
            if not error.max() <= worst:
                worst, where = float(error.max()), f"d {list(model.states)[i]} / d "
                where += f"{list(model.parameters)[j]}: {found[:, i]}, expected {exact[:, i]}"
    except Exception as error:  # a benchmark goes on
        message = f"{type(error).__name__}: {error}"[:300]
        return {"case": folder.name, "outcome": "error", "message": message}
    jumps = sum(event.jump is not None for event in model.events.values())
    if not states.max() <= AGREES:
        worst, where = np.inf, f"states {list(model.states)[int(np.nanargmax(states))]}"
    outcome = "agrees" if worst <= 1.0 else "differs"
    if result.status != "ok":
        outcome, where = f"refused ({result.status})", ""
    return {
        "case": folder.name,
        "outcome": outcome,
        "message": where if outcome == "differs" else "",
        "events": jumps,
        "error": worst * AGREES,
        "states": float(np.max(states)),
        "seconds": time.perf_counter() - started,
    }


def grouped(message: str) -> str:
    """A message without the names and numbers of its case."""
    message = re.sub(r"'[^']*'", "'...'", message)
    message = re.sub(r"0 = .*? (is|has)", r"0 = ... \1", message)
    return re.sub(r"[-+.\de]*\d[-+.\de]*", "#", message)[:140]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--cases", nargs="*", default=[])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--gradients", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--right", type=Path, help="outcomes of an earlier run, to draw from")
    parser.add_argument("--output", type=Path, help="all outcomes as JSON lines")
    options = parser.parse_args()
    folders = sorted(f for f in options.path.iterdir() if f.is_dir() and f.name.isdigit())
    if options.cases:
        folders = [f for f in folders if f.name in options.cases]
    folders = [f for f in folders if is_time_course(f)]
    if options.gradients:
        grade(options, folders)
        return
    outcomes = []
    with multiprocessing.get_context("spawn").Pool(options.jobs, maxtasksperchild=150) as pool:
        for outcome in pool.imap_unordered(judged, folders):
            outcomes.append(outcome)
            if outcome["outcome"] in ("wrong", "error", "unsolved") or options.cases:
                print(outcome["case"], outcome["outcome"], outcome["message"], flush=True)
    if options.output:
        options.output.write_text("".join(json.dumps(o) + "\n" for o in outcomes))
    counts = collections.Counter(outcome["outcome"] for outcome in outcomes)
    print(f"{len(outcomes)} time courses:", ", ".join(f"{v} {k}" for k, v in counts.items()))
    constant = sum(o["outcome"] == "right" and o["constant"] for o in outcomes)
    print(f"{constant} of those that are right have nothing that changes by a rate or an event")
    refused = collections.Counter(
        grouped(o["message"]) for o in outcomes if o["outcome"] == "refused"
    )
    for message, count in refused.most_common():
        print(f"{count:5} {message}")


def grade(options: argparse.Namespace, folders: list[Path]) -> None:
    """Draw cases among those that are right, and compare their sensitivities."""
    right = options.right.read_text().splitlines() if options.right else []
    known = {o["case"] for o in map(json.loads, right) if o["outcome"] == "right"}
    if known:
        folders = [folder for folder in folders if folder.name in known]
    drawn = np.random.default_rng(options.seed).permutation(len(folders))
    work = [(folders[i], options.seed) for i in drawn]
    outcomes = []
    with multiprocessing.get_context("spawn").Pool(options.jobs, maxtasksperchild=20) as pool:
        for outcome in pool.imap_unordered(graded, work):
            if outcome["outcome"] == "nothing changes":
                continue
            outcomes.append(outcome)
            if outcome["outcome"] != "agrees" or options.cases:
                print(outcome["case"], outcome["outcome"], outcome["message"], flush=True)
            if options.output:
                options.output.write_text("".join(json.dumps(o) + "\n" for o in outcomes))
            if len(outcomes) == options.gradients:
                pool.terminate()
                break
    counts = collections.Counter(outcome["outcome"] for outcome in outcomes)
    print(f"{len(outcomes)} gradients:", ", ".join(f"{v} {k}" for k, v in counts.items()))
    with_events = sum(o["outcome"] == "agrees" and o["events"] > 0 for o in outcomes)
    print(f"{with_events} of those that agree have events with a jump")


if __name__ == "__main__":
    main()
