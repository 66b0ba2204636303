"""How good is the error estimate on models that nobody tuned it to? Stage 1: collect gradients.

Appends one line of JSON per gradient to a file; an interrupted run continues where it was. Stage 2
is `report.py`. Needs `dysts` (python -m pip install dysts --no-deps) and a checkout of
github.com/sbmlteam/sbml-test-suite.

    python benchmarks/estimate_blind/collect.py ROWS.jsonl --suite PATH/cases/semantic \
        --petab PATH/problems [--families dysts sbml_events] [--hours 1]
"""

from __future__ import annotations

import argparse
import json
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from sources import SkippedError, Source, at_point, dysts, library, problems, small, stiff, suite  # isort: skip

SEED = 1
KEY = ("family", "model", "point")
CERTIFIED = Path(__file__).parents[2] / "certified"
CASES = 80  # with events, of the SBML Test Suite


def solvers_of(source: Source) -> tuple[str, ...]:
    """Tsit5 for all, and for most another one, by the name: it takes a while to compile."""
    draw = zlib.crc32(source.name.encode()) % 8
    if source.family in ("stiff", "petab"):
        return "tsit5", "kvaerno5"
    if source.family == "small":
        return ("tsit5",)
    if source.family == "sbml_events":
        return ("kvaerno5",) if draw == 0 else ("tsit5",)
    others = {0: "dopri8", 1: "kvaerno5", 2: "dopri8", 3: "kvaerno5"}
    return ("tsit5", others[draw]) if draw in others else ("tsit5",)


def work(options: argparse.Namespace) -> list[tuple[Source, int]]:
    """All settings in an order that is drawn, so that a run that is cut short is a fair sample."""
    sources: list[Source] = []
    if "dysts" in options.families:
        sources += dysts(points=options.points)
    if "small" in options.families:
        sources += small(points=options.points)
    if "library" in options.families:
        sources += library(points=options.points)
    if "sbml_events" in options.families and options.suite:
        sources += suite(options.suite, count=CASES, seed=SEED, points=options.points)
    if "petab" in options.families and options.petab:
        sources += problems(options.petab, CERTIFIED)
    if "stiff" in options.families:
        sources += stiff(points=options.points)
    order = np.random.default_rng(SEED).permutation(len(sources))
    settings = []
    for index in order:
        source = sources[index]
        settings += [(source, number) for number in range(source.points + 1)]
    return settings


def finished(path: Path) -> set[tuple[Any, ...]]:
    """Settings that are complete in the file; the rows of others are removed from it."""
    if not path.exists():
        return set()
    lines = path.read_text().splitlines()
    rows = []
    for line in lines:
        try:
            rows.append(json.loads(line))
        except ValueError:  # of a run that was killed while it wrote
            rows.append({})
    done = {tuple(row[k] for k in KEY) for row in rows if row.get("functional") == "setting"}
    kept = [
        line
        for line, row in zip(lines, rows, strict=True)
        if tuple(row.get(k) for k in KEY) in done
    ]
    if len(kept) < len(lines):
        path.write_text("".join(line + "\n" for line in kept))
    return done


def collected(source: Source, number: int) -> list[dict[str, Any]]:
    """The rows of a setting, the last of which closes it and says how it went."""
    from rows import rows_of

    # Each method for events is a program of its own, which takes long to compile.
    both = source.family != "sbml_events" or zlib.crc32(source.name.encode()) % 4 == 1
    key = dict(zip(KEY, (source.family, source.name, number), strict=True))
    begin, rows, status = time.perf_counter(), [], "ok"
    try:
        solvers = solvers_of(source)
        if source.rows is not None:
            found = source.rows(number, solvers)
        else:
            found = rows_of(at_point(source.make(), number, SEED), solvers, both=both)
        for row in found:
            rows.append(key | row)
    except SkippedError as reason:
        status = f"skipped: {reason}"
    except Exception as error:  # a benchmark goes on
        status = f"{type(error).__name__}: {error}"[:300]
    solved = sum(row["status"] == "ok" for row in rows)
    if status == "ok" and not solved:
        status = rows[0]["status"] if rows else "no rows"
    seconds = time.perf_counter() - begin
    return [*rows, key | {"functional": "setting", "status": status, "seconds": seconds}]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path)
    families = ["dysts", "sbml_events", "library", "stiff", "small", "petab"]
    parser.add_argument("--families", nargs="*", default=families, choices=families)
    parser.add_argument("--suite", type=Path)
    parser.add_argument("--petab", type=Path)
    parser.add_argument("--points", type=int, default=1, help="parameter points beside the nominal")
    parser.add_argument("--hours", type=float, default=np.inf, help="no setting begins after it")
    parser.add_argument("--cache", type=Path, help="of compiled programs; beside the rows")
    options = parser.parse_args()
    from gradaudit.backend.jax_setup import use_compilation_cache

    use_compilation_cache(options.cache or options.rows.with_suffix(".compiled"))
    ends = time.perf_counter() + 3600.0 * options.hours
    done = finished(options.rows)
    for source, number in work(options):
        if time.perf_counter() > ends:
            break
        if (source.family, source.name, number) in done:
            continue
        rows = collected(source, number)
        text = "".join(json.dumps(row, default=float) + "\n" for row in rows)
        with options.rows.open("a") as file:
            file.write(text)
        last = rows[-1]
        print(
            f"{source.family} {source.name} {number}: {last['status']}, {len(rows) - 1} rows, "
            f"{last['seconds']:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
