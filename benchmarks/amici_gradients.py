"""How wrong are the gradients of AMICI, against the certified ones?

Runs in an environment with AMICI, petab and SciPy, and needs of gradaudit nothing but the
documents of `certified/`. Each problem is compiled once, which takes a minute or more. Of each
certified point the relative error of the gradient on the estimation scale is printed: forward
sensitivities with the default tolerances of AMICI and with tight ones, and adjoint sensitivities
with the default ones.

    python benchmarks/amici_gradients.py PATH/problem.yaml ... [--certified certified] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "1e-12": {"rtol": 1e-12, "atol": 1e-16, "steps": 100_000},
    "adjoint": {"adjoint": True, "steps": 100_000},
}


def gradients(file: Path, folder: Path) -> Any:
    """A function from a point, by name, and a setting to value, gradient and status."""
    import amici.sim.sundials as sundials
    import petab.v1 as petab
    from amici.importers.petab.v1 import import_petab_problem
    from amici.sim.sundials.petab.v1 import LLH, SLLH, simulate_petab

    problem = petab.Problem.from_yaml(str(without_pictures(file, folder)))
    model = import_petab_problem(
        problem, output_dir=str(folder), model_name="own_model", compile_=True, verbose=False
    )

    def gradient(point: dict[str, float], setting: dict[str, Any]) -> tuple[float, Any, float]:
        solver = model.create_solver()
        solver.set_sensitivity_order(sundials.SensitivityOrder.first)
        adjoint = setting.get("adjoint", False)
        method = sundials.SensitivityMethod
        solver.set_sensitivity_method(method.adjoint if adjoint else method.forward)
        if "rtol" in setting:
            solver.set_relative_tolerance(setting["rtol"])
            solver.set_absolute_tolerance(setting["atol"])
        if "steps" in setting:
            solver.set_max_steps(setting["steps"])
        begin = time.perf_counter()
        result = simulate_petab(
            problem,
            amici_model=model,
            solver=solver,
            problem_parameters=point,
            scaled_parameters=True,
            scaled_gradients=True,
        )
        return result[LLH], result[SLLH], time.perf_counter() - begin

    return gradient


def without_pictures(file: Path, folder: Path) -> Path:
    """A copy of a problem that names no files for plots, which may be missing."""
    import yaml

    copy = folder.with_name("problem")
    shutil.copytree(file.parent, copy)
    content = yaml.safe_load(file.read_text())
    for own in content["problems"]:
        own.pop("visualization_files", None)
    (copy / file.name).write_text(yaml.safe_dump(content))
    return copy / file.name


def rows(file: Path, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One for each certified point and setting."""
    with tempfile.TemporaryDirectory() as folder:
        gradient = gradients(file, Path(folder) / "model")
        for name, point in document["points"].items():
            if point["status"] != "ok":
                continue
            exact = np.array(list(point["gradient"].values()))
            for label, setting in SETTINGS.items():
                value, found, seconds = gradient(point["point"], setting)
                row = {"problem": document["problem"], "point": name, "setting": label}
                if found is None or not np.isfinite(value):
                    yield {**row, "status": "failed", "seconds": seconds}
                    continue
                own = np.array([found.get(parameter, np.nan) for parameter in point["gradient"]])
                error = np.linalg.norm(own - exact) / np.linalg.norm(exact)
                off = abs(value / point["log_likelihood"] - 1.0)
                yield {
                    **row, "status": "ok", "error": float(error), "value_error": float(off),
                    "norm": float(np.linalg.norm(own)), "exact_norm": float(np.linalg.norm(exact)),
                    "seconds": seconds,
                }  # fmt: skip


def main() -> None:
    """Print a line for each certified point and setting."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", nargs="+", type=Path)
    parser.add_argument("--certified", type=Path, default=Path("certified"))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    found = []
    for file in args.problems:
        document = json.loads((args.certified / f"{file.parent.name}.json").read_text())
        try:
            for row in rows(file, document):
                found.append(row)
                error = f"{row['error']:.2e}" if row["status"] == "ok" else row["status"]
                print(
                    f"{row['problem']:<36}{row['point']:<9} {row['setting']:<9}{error}", flush=True
                )
        except Exception as error:  # of the other tool, whatever it is
            print(f"{file.parent.name:<36}not imported: {type(error).__name__}: {error}"[:160])
            found.append({"problem": document["problem"], "status": f"not imported: {error}"})
    if args.json:
        args.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
