"""The configuration: checks with messages that help, and the part of it that each stage reads.

A stage gets exactly the keys that it reads, as canonical JSON; the workflow stores that text, and
so only a change that matters to a stage runs it again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gradaudit.errors import SettingError
from gradaudit.model import spec as specs
from gradaudit.model.spec import hint
from gradaudit.records.code_digest import literal_keys
from gradaudit.records.provenance import canonical_json
from gradaudit.sensitivity.external.requirements import check_installed

Config = Mapping[str, Any]

_AXES = ("solver", "observe", "dtype", "pid", "root_tolerance", "steps")
_OWN = {*_AXES, "models"}


def check_schema(config: Config, schema: Mapping[str, Any]) -> None:
    """Check `config` against a JSON schema.

    Raises
    ------
    SettingError
        With one line for every problem: where it is, what is wrong, what to write.
    """
    from jsonschema import Draft202012Validator

    errors = sorted(Draft202012Validator(schema).iter_errors(config), key=lambda e: e.json_path)
    lines = [line for error in errors for line in _explain(error)]
    if lines:
        raise SettingError("the configuration does not hold:\n  " + "\n  ".join(lines))


def check_names(config: Config) -> None:
    """Check models, solvers, methods and tolerances, which a schema cannot know.

    Raises
    ------
    SettingError
        For a name that does not exist, a method whose package is not installed, two models of one
        name, or an empty ladder.
    """
    model_files(config)
    experiment = config["experiment"]
    bases = [base_solver(config, key) for key in config["solvers"]]
    parts = [part for part in (experiment, config["sweep"]) if part["models"]]
    solvers = [*bases, *(part["solver"] for part in parts)]
    check_known("solver", solvers, literal_keys("solvers.registry", "SOLVERS"))
    for section in (config, *(entry or {} for entry in config["solvers"].values())):
        for key in ("methods", "estimate"):
            check_known("method", section.get(key, []), literal_keys("sensitivity.api", "METHODS"))
        check_installed(section.get("methods", []))
    check_known(
        "functional",
        config["functionals"]["kinds"],
        literal_keys("evaluation.functionals", "KINDS"),
    )
    for solver in config["solvers"]:
        ladder_of(config, solver)
    check_variants(config)


def model_files(config: Config) -> dict[str, str]:
    """The file of every model, those of `experiment` and `sweep` too, by the model's key.

    Raises
    ------
    SettingError
        If there is no such model, or two files have the same stem.
    """
    return {key: relative(specs.file_of(spec)) for key, spec in model_specs(config).items()}


def model_specs(config: Config) -> dict[str, str]:
    """What a stage is told to load, the file with the setting of axes, by the model's key.

    Raises
    ------
    SettingError
        As `model_files`.
    """
    found: dict[str, str] = {}
    for entry in [*config["models"], *config["experiment"]["models"], *config["sweep"]["models"]]:
        for spec in specs.expand(entry):
            key, setting = specs.key_of(spec), spec.partition("@")[1:]
            path = relative(specs.file_of(spec))
            if found.setdefault(key, path + "".join(setting)).partition("@")[0] != path:
                raise SettingError(
                    f"two models have the key {key!r}: {found[key]} and {path}. "
                    "The key is the stem of the file; rename one of them."
                )
    return found


def keys_of(models: list[str]) -> list[str]:
    """The keys of a list of models, without repetition."""
    return list(dict.fromkeys(specs.key_of(s) for entry in models for s in specs.expand(entry)))


def base_solver(config: Config, key: str) -> str:
    """The solver that an entry of `solvers` stands for: its own name, unless it says otherwise."""
    return (config["solvers"].get(key) or {}).get("solver", key)


def plain_solvers(config: Config) -> list[str]:
    """The entries that are a solver as it is, for every model."""
    return [key for key, entry in config["solvers"].items() if not _OWN & set(entry or {})]


def solvers_for(config: Config, model: str) -> list[str]:
    """The entries of `solvers` that are for the model of that key, in their order."""
    return [
        key
        for key, entry in config["solvers"].items()
        if "models" not in (entry or {}) or model in keys_of(entry["models"])
    ]


def check_variants(config: Config) -> None:
    """Check the entries of `solvers` that are not a solver as it is.

    Raises
    ------
    SettingError
        For a model that is not in `models`, equal steps of no number for a solver that has no
        error estimate, or a model without any solver.
    """
    models = keys_of(config["models"])
    equal_steps_only = {"euler"}  # see `solvers.SOLVERS`
    for key, entry in config["solvers"].items():
        check_known(f"model of solver {key}", keys_of((entry or {}).get("models", [])), models)
        if base_solver(config, key) in equal_steps_only and "steps" not in (entry or {}):
            raise SettingError(
                f"solvers.{key}: this solver takes equal steps only; say how many it is to take at "
                "the loosest tolerance, for example steps: 100."
            )
    for model in models:
        if not solvers_for(config, model):
            raise SettingError(f"no entry of solvers is for the model {model!r}.")


def ladder(*, loosest: float, tightest: float, per_decade: int) -> list[float]:
    """Tolerances from `loosest` down to at least `tightest`, `per_decade` steps a decade.

    Raises
    ------
    SettingError
        If `tightest` is above `loosest`, or one of the numbers makes no sense.
    """
    if not (0.0 < tightest < 1.0 and 0.0 < loosest < 1.0 and per_decade >= 1):
        raise SettingError(
            f"tolerances: loosest ({loosest:g}) and tightest ({tightest:g}) must lie between 0 and "
            f"1, and per_decade ({per_decade}) must be at least 1."
        )
    if tightest > loosest:
        raise SettingError(
            f"tolerances: tightest ({tightest:g}) is above loosest ({loosest:g}); swap them."
        )
    steps = math.floor(math.log10(loosest / tightest) * per_decade + 1e-9)
    # Six digits are enough, and 1e-6 is then the same number however it was reached.
    return [float(f"{loosest * 10.0 ** (-k / per_decade):.6g}") for k in range(steps + 1)]


def ladder_of(config: Config, solver: str) -> list[float]:
    """The tolerances of one solver, loosest first."""
    own = (config["solvers"].get(solver) or {}).get("tolerances", {})
    return ladder(**{**config["tolerances"], **own})


def settings_of(stage: str, config: Config, *, solver: str = "", model: str = "") -> str:
    """Canonical JSON of what `stage` reads of the configuration, for a solver or a model's key."""
    return canonical_json(_normal(_SLICES[stage](config, _Job(solver, model))))


def relative(path: Path) -> str:
    """`path` as seen from the working directory if it lies below, for a repository may move."""
    path, here = Path(path).resolve(), Path.cwd().resolve()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _pick(section: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: section[key] for key in keys}


def _figures(config: Config) -> dict[str, Any]:
    return {**config["figures"], **_pick(config["verdict"], "good", "horrible")}


def _variant(config: Config, solver: str) -> dict[str, Any]:
    """What an entry of `solvers` has of its own, if anything."""
    entry = config["solvers"].get(solver) or {}
    own = {key: entry[key] for key in ("methods", "estimate") if key in entry}
    axes = {key: entry[key] for key in _AXES if key in entry}
    return {**own, "variant": axes} if axes else own


class _Job(NamedTuple):
    solver: str
    model: str


_SLICES: dict[str, Callable[[Config, _Job], dict[str, Any]]] = {
    "simulate": lambda c, job: {
        **_pick(c, "atol_factor", "max_steps"),
        "tolerances": ladder_of(c, job.solver),
    },
    "gradients": lambda c, job: {
        **_pick(c, "methods", "estimate", "atol_factor", "observe", "max_steps"),
        **_variant(c, job.solver),
        "tolerances": ladder_of(c, job.solver),
    },
    "reference": lambda c, _: dict(c["reference"]),
    "evaluate": lambda c, _: _pick(c, "functionals", "verdict"),
    "experiment": lambda c, _: {
        **_pick(c, "atol_factor", "max_steps"),
        **_pick(c["experiment"], "solver", "stepping", "observe", "tolerances"),
    },
    "sweep": lambda c, _: {
        **_pick(c, "atol_factor", "max_steps"),
        **_pick(c["sweep"], "solver", "rtol", "points", "span", "steps"),
    },
    "atlas": lambda c, _: dict(c["atlas"]),
    "trust": lambda c, _: _pick(c["verdict"], "good"),
    "figures": lambda c, _: _figures(c),
    "figures_experiment": lambda c, job: {
        **_figures(c),
        "published_norm": c["experiment"]["published_norms"].get(job.model),
    },
    "report": lambda c, _: {
        **c["report"],
        **_pick(c["verdict"], "good", "horrible"),
        **_pick(c["experiment"], "published_norms"),
    },
    "track": lambda c, _: {**c["tracking"], "store": f"{c['results']}/mlflow"},
}


def _normal(value: Any) -> Any:
    """Plain dicts and lists; a whole number where YAML has 1 and 1.0 alike."""
    if isinstance(value, Mapping):
        return {str(key): _normal(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_normal(entry) for entry in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def check_known(kind: str, names: Iterable[str], known: list[str]) -> None:
    """Raise a SettingError at the first of `names` that is not `known`."""
    for name in names:
        if name not in known:
            raise SettingError(
                f"unknown {kind} {name!r}{hint(name, known)}; the {kind}s are {', '.join(known)}."
            )


def _explain(error: Any) -> Iterator[str]:
    """One line for what is wrong at one place; `error` is a ValidationError of jsonschema."""
    where = error.json_path.removeprefix("$").removeprefix(".") or "top level"
    value = error.instance
    if error.validator == "additionalProperties" and "properties" in error.schema:
        known = list(error.schema["properties"])
        for key in value:
            if key not in known:
                yield f"{where}: unknown key {key!r}{hint(key, known)}; known: {', '.join(known)}."
    elif error.validator == "type" and isinstance(value, str) and _is_numeral(value):
        yield (
            f"{where}: {value!r} is a text, not a number. YAML takes 1e-6 for a text: "
            f"write it with a point, {_with_point(value)}."
        )
    else:
        wanted = error.schema.get("description", "")
        yield f"{where}: {error.message}." + (f" ({' '.join(wanted.split())})" if wanted else "")


def _is_numeral(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _with_point(text: str) -> str:
    mantissa, marker, exponent = text.lower().partition("e")
    return f"{mantissa}.0{marker}{exponent}" if marker and "." not in mantissa else str(float(text))
