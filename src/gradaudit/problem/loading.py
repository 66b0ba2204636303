"""`load_problem`: from tables to a problem, with every reference between them resolved."""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from gradaudit.errors import ModelWarning, ProblemError, extras_by_name, first_few
from gradaudit.problem.definition import (
    Condition,
    Measurement,
    Observable,
    Parameters,
    Problem,
    Source,
    parameters,
)
from gradaudit.problem.doubtful import tell_parameters
from gradaudit.problem.formulas import TIME, checked, parsed, replaced
from gradaudit.problem.noise import DISTRIBUTIONS
from gradaudit.problem.priors import VERSION_1, Prior, prior
from gradaudit.problem.scales import SCALES
from gradaudit.problem.tables import Tables, number, opened, read
from gradaudit.problem.version_2 import load_version_2

BEHIND = " after "
"""Between the ids of a condition and of the one that it is behind, in the name of both together."""
PLACEHOLDER = re.compile(r"(observable|noise)Parameter\d+_\w+\Z")


def load_problem(path: str | Path) -> Problem:
    """Read an estimation problem in PEtab, version 1 or 2, with a model in SBML.

    Parameters
    ----------
    path
        The YAML file of the problem.

    Raises
    ------
    ProblemError
        If a file, an id or a formula is missing or wrong, with its place; or if the problem has
        something that is not supported, which is named.
    MissingExtraError
        If the extra "petab" is not installed.
    """
    with extras_by_name(f"the PEtab problem {path}"):
        import petab.v1  # noqa: F401

        from gradaudit.model.sbml.importer import identifiers
    file, content, version = opened(path)
    if version == "2":
        problem = load_version_2(file, content)
        files = ", ".join(map(str, content.get("parameter_files") or []))
        _tell_priors(problem, files)
        tell_parameters(problem, files)
        return problem
    tables = read(file, content)
    known = identifiers(tables.sbml)
    estimated, fixed = _parameters(tables)
    sources: dict[str, Source] = {**fixed, **{name: name for name in estimated.names}}
    conditions = {name: _condition(tables, name, sources, known) for name in tables.conditions}
    measurements = [_measurement(tables, row, sources) for row in range(len(tables.measurements))]
    conditions |= {
        m.condition: _after(conditions, m.condition) for m in measurements if BEHIND in m.condition
    }
    problem = Problem(
        name=tables.path.stem,
        path=tables.path,
        sbml=tables.sbml,
        parameters=estimated,
        observables={name: _observable(tables, name) for name in tables.observables},
        conditions=conditions,
        measurements=tuple(measurements),
        model_ids=known,
        priors=_priors(tables, estimated),
    )
    _check_columns(tables, problem)
    _check_names(tables, problem, known)
    _tell_priors(problem, tables.files["parameter"])
    tell_parameters(problem, tables.files["parameter"])
    return problem


def _tell_priors(problem: Problem, file: str) -> None:
    if problem.priors:
        warnings.warn(
            f"{file}: objective priors of {first_few(problem.priors, quoted=False)} are not in the "
            "log-likelihood. log_posterior has them, and reference_gradient with posterior=True.",
            ModelWarning,
            stacklevel=3,
        )


def _parameters(tables: Tables) -> tuple[Parameters, dict[str, Source]]:
    rows = []
    fixed: dict[str, Source] = {}
    for name, row in tables.parameters.items():
        where = tables.where("parameter", name)
        nominal = number(row.get("nominalValue"))
        if nominal is None or not math.isfinite(nominal):
            raise ProblemError(
                f"{where}: nominalValue is {row.get('nominalValue', 'missing')!r}; give it a "
                "finite number."
            )
        estimate = number(row.get("estimate"))
        if estimate not in (0.0, 1.0):
            raise ProblemError(
                f"{where}: estimate is {row.get('estimate', 'missing')!r}; it must be 0 or 1."
            )
        scale = str(row.get("parameterScale", "lin"))
        if scale not in SCALES:
            raise ProblemError(f"{where}: parameterScale is {scale!r}; it must be one of {SCALES}.")
        if estimate == 0.0:
            fixed[name] = nominal
            continue
        if scale != "lin" and nominal < 0.0:
            raise ProblemError(
                f"{where}: nominalValue is {nominal:g}, which has no logarithm; parameterScale is "
                f"{scale!r}."
            )
        bounds = [number(row.get(key)) for key in ("lowerBound", "upperBound")]
        lower, upper = (math.nan if bound is None else bound for bound in bounds)
        rows.append((name, scale, nominal, lower, upper))
    if not rows:
        raise ProblemError(
            f"{tables.files['parameter']}: no parameter is estimated, so there is no gradient. Set "
            "estimate to 1 for one."
        )
    return parameters(rows), fixed


def _priors(tables: Tables, estimated: Parameters) -> dict[str, Prior]:
    """Objective priors, which version 1 does not truncate."""
    found = {}
    for name, scale, lower, upper in zip(
        estimated.names, estimated.scales, estimated.lower, estimated.upper, strict=True
    ):
        row, where = tables.parameters[name], tables.where("parameter", name)
        if "objectivePriorType" not in row:
            continue
        kind = str(row["objectivePriorType"])
        cell = row.get("objectivePriorParameters")
        numbers = [] if cell is None else [number(part) for part in str(cell).split(";")]
        if cell is None and kind == "parameterScaleUniform":
            numbers = [float(lower), float(upper)]  # as the standard says
        given = [math.nan if own is None else own for own in numbers]
        found[name] = prior(kind, given, VERSION_1, scale, (-math.inf, math.inf), where)
    return found


def _observable(tables: Tables, name: str) -> Observable:
    row, where = tables.observables[name], tables.where("observable", name)
    for column in ("observableFormula", "noiseFormula"):
        if column not in row:
            raise ProblemError(f"{where}: {column} is missing.")
    scale = str(row.get("observableTransformation", "lin"))
    if scale not in SCALES:
        raise ProblemError(f"{where}: observableTransformation is {scale!r}; one of {SCALES}.")
    distribution = str(row.get("noiseDistribution", "normal"))
    if distribution not in DISTRIBUTIONS:
        raise ProblemError(
            f"{where}: noiseDistribution is {distribution!r}; one of {DISTRIBUTIONS} is supported."
        )
    value, noise = (
        checked(parsed(row[column], place), place)
        for column, place in (
            (column, f"{where}, {column}") for column in ("observableFormula", "noiseFormula")
        )
    )
    if name in noise.names:
        noise = replaced(noise, name, value)
    return Observable(name=name, scale=scale, distribution=distribution, value=value, noise=noise)


def _condition(
    tables: Tables, name: str, sources: dict[str, Source], known: frozenset[str]
) -> Condition:
    model = {n: source for n, source in sources.items() if n in known}
    resets = set()
    other = {n: source for n, source in sources.items() if n not in known}
    for column, cell in tables.conditions[name].items():
        if column in ("id", "conditionName"):
            continue
        where = f"{tables.where('condition', name)}, column {column!r}"
        source = _source(cell, sources, where)
        (model if column in known else other)[column] = source
        resets.add(column)
    return Condition(name=name, model=model, other=other, resets=frozenset(resets))


def _after(conditions: dict[str, Condition], name: str) -> Condition:
    """A condition behind the steady state of another one."""
    own, before = (conditions[part] for part in name.split(BEHIND))
    return replace(own, name=name, before=before.model)


def _source(cell: Any, sources: dict[str, Source], where: str) -> Source:
    found = number(cell)
    if found is not None:
        if not math.isfinite(found):
            raise ProblemError(f"{where}: the value {cell!r} is not finite.")
        return found
    if str(cell).strip() in sources:
        return sources[str(cell).strip()]
    raise ProblemError(
        f"{where}: {cell!r} is neither a number nor a parameter of the parameter table."
    )


def _measurement(tables: Tables, index: int, sources: dict[str, Source]) -> Measurement:
    row, where = tables.measurements[index], tables.where("measurement", index)
    observable = str(row.get("observableId"))
    if observable not in tables.observables:
        raise ProblemError(f"{where}: there is no observable {observable!r}.")
    condition = str(row.get("simulationConditionId"))
    before = str(row.get("preequilibrationConditionId", ""))
    for name in (condition, *([before] if before else [])):
        if name not in tables.conditions:
            raise ProblemError(f"{where}: there is no condition {name!r}.")
    condition += BEHIND + before if before else ""
    time, value = number(row.get("time")), number(row.get("measurement"))
    if time is None or time < 0.0:
        raise ProblemError(
            f"{where}: the time is {row.get('time', 'missing')!r}; it must be at least 0."
        )
    if value is None or not math.isfinite(value):
        raise ProblemError(
            f"{where}: the measurement is {row.get('measurement', 'missing')!r}, no number."
        )
    scale = tables.observables[observable].get("observableTransformation", "lin")
    if scale != "lin" and not value > 0.0:
        raise ProblemError(f"{where}: the measurement {value:g} has no logarithm.")
    overrides: dict[str, Source] = {}
    for kind in ("observable", "noise"):
        cell = row.get(f"{kind}Parameters", "")
        parts = [part.strip() for part in str(cell).split(";")] if str(cell).strip() else []
        for place, part in enumerate(parts, 1):
            name = f"{kind}Parameter{place}_{observable}"
            overrides[name] = _source(part, sources, f"{where}, {kind}Parameters")
    return Measurement(
        row=index,
        observable=observable,
        condition=condition,
        time=time,
        value=value,
        overrides=overrides,
    )


def _check_columns(tables: Tables, problem: Problem) -> None:
    """Every column of the condition table is an id of the model, of a parameter or of a formula."""
    observables = problem.observables.values()
    used = {name for o in observables for name in (*o.value.names, *o.noise.names)}
    for condition in problem.conditions.values():
        lost = sorted(condition.other.keys() - tables.parameters.keys() - used)
        if lost:
            raise ProblemError(
                f"{tables.where('condition', condition.name)}: the column {lost[0]!r} is neither "
                "in the model nor in a formula."
            )


def _check_names(tables: Tables, problem: Problem, known: frozenset[str]) -> None:
    """Every name in a formula has a meaning in every condition in which it is measured."""
    for measurement in problem.measurements:
        observable = problem.observables[measurement.observable]
        condition = problem.conditions[measurement.condition]
        names = {*observable.value.names, *observable.noise.names}
        idle = sorted(measurement.overrides.keys() - names)
        if idle:
            kind = "noise" if idle[0].startswith("noise") else "observable"
            raise ProblemError(
                f"{tables.where('measurement', measurement.row)}: {kind}Parameters has too many "
                f"entries; there is no {idle[0]!r} in the formulas of {observable.name!r}."
            )
        meant = known | {TIME} | condition.other.keys() | measurement.overrides.keys()
        lost = sorted(names - meant)
        if lost:
            where = tables.where("measurement", measurement.row)
            kind = "noiseParameters" if lost[0].startswith("noise") else "observableParameters"
            raise ProblemError(
                f"{where}: {kind} has too few entries; {lost[0]!r} has no value."
                if PLACEHOLDER.match(lost[0])
                else f"{tables.where('observable', observable.name)}: the formula has {lost[0]!r}, "
                "which is neither in the model nor in the parameter table, nor set by the "
                f"condition {condition.name!r}."
            )
