"""The configuration: checks with messages that help, and the part of it that each stage reads.

A stage gets exactly the keys that it reads, as canonical JSON; the workflow stores that text, and
so only a change that matters to a stage runs it again.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gradaudit._imports import PACKAGE, literal_keys
from gradaudit.errors import SettingError
from gradaudit.provenance import canonical_json

Config = Mapping[str, Any]
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")


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
        For a name that does not exist, two models of one name, or an empty ladder.
    """
    model_files(config)
    experiment = config["experiment"]
    solvers = [*config["solvers"], *([experiment["solver"]] if experiment["models"] else [])]
    check_known("solver", solvers, literal_keys("solvers", "SOLVERS"))
    check_known("method", config["methods"], literal_keys("methods", "METHODS"))
    for solver in config["solvers"]:
        ladder_of(config, solver)


def model_files(config: Config) -> dict[str, str]:
    """The file of every model in `models` and `experiment.models`, by the model's key.

    Raises
    ------
    SettingError
        If there is no such model, or two files have the same stem.
    """
    files: dict[str, str] = {}
    for entry in [*config["models"], *config["experiment"]["models"]]:
        key, path = _model(entry)
        if files.setdefault(key, path) != path:
            raise SettingError(
                f"two models have the key {key!r}: {files[key]} and {path}. "
                "The key is the stem of the file; rename one of them."
            )
    return files


def keys_of(models: list[str]) -> list[str]:
    """The keys of a list of models, without repetition."""
    return list(dict.fromkeys(_model(entry)[0] for entry in models))


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


class _Job(NamedTuple):
    solver: str
    model: str


_SLICES: dict[str, Callable[[Config, _Job], dict[str, Any]]] = {
    "simulate": lambda c, job: {
        **_pick(c, "atol_factor", "max_steps"),
        "tolerances": ladder_of(c, job.solver),
    },
    "gradients": lambda c, job: {
        **_pick(c, "methods", "atol_factor", "observe", "max_steps"),
        "tolerances": ladder_of(c, job.solver),
    },
    "reference": lambda c, _: dict(c["reference"]),
    "evaluate": lambda c, _: _pick(c, "functionals", "verdict"),
    "experiment": lambda c, _: {
        **_pick(c, "atol_factor", "max_steps"),
        **_pick(c["experiment"], "solver", "stepping", "observe", "tolerances"),
    },
    "atlas": lambda c, _: dict(c["atlas"]),
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


def _model(entry: str) -> tuple[str, str]:
    """Key and file of a library name or a path."""
    library = sorted(path.stem for path in (PACKAGE / "models").glob("[!_]*.py"))
    if not entry.endswith(".py"):
        if entry not in library:
            raise SettingError(
                f"models: {entry!r} is no model of the library{_hint(entry, library)}. The library "
                f"has {', '.join(library)}; a model of your own is named by its file, as in "
                "my_models/pendulum.py."
            )
        return entry, relative(PACKAGE / "models" / f"{entry}.py")
    path = Path(entry).expanduser()
    if not path.is_file():
        raise SettingError(f"models: the file {entry} does not exist (looked for in {Path.cwd()}).")
    if not _KEY.match(path.stem):
        raise SettingError(
            f"models: the name of {entry} becomes the model's key; it must be made of letters, "
            "digits, '_' and '-' and begin with a letter. Rename the file."
        )
    return path.stem, relative(path)


def check_known(kind: str, names: Iterable[str], known: list[str]) -> None:
    """Raise a SettingError at the first of `names` that is not `known`."""
    for name in names:
        if name not in known:
            raise SettingError(
                f"unknown {kind} {name!r}{_hint(name, known)}; the {kind}s are {', '.join(known)}."
            )


def _hint(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _explain(error: Any) -> Iterator[str]:
    """One line for what is wrong at one place; `error` is a ValidationError of jsonschema."""
    where = error.json_path.removeprefix("$").removeprefix(".") or "top level"
    value = error.instance
    if error.validator == "additionalProperties" and "properties" in error.schema:
        known = list(error.schema["properties"])
        for key in value:
            if key not in known:
                yield f"{where}: unknown key {key!r}{_hint(key, known)}; known: {', '.join(known)}."
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
