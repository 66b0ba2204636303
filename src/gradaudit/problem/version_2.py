"""Problems of PEtab version 2: experiments with periods, as the library petab reads them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradaudit.errors import ProblemError
from gradaudit.problem.definition import (
    Condition,
    Measurement,
    Observable,
    Parameters,
    Problem,
    Source,
    parameters,
)
from gradaudit.problem.formulas import TIME, Expression, checked, expression, renamed, replaced
from gradaudit.problem.headers import COLUMNS_2, check_header, names_of_files, said
from gradaudit.problem.priors import VERSION_2, Prior, prior
from gradaudit.problem.tables import number

NOISE = {
    "normal": ("normal", "lin"),
    "laplace": ("laplace", "lin"),
    "log-normal": ("normal", "log"),
    "log-laplace": ("laplace", "log"),
}
"""Distributions of the standard: that of the noise, and the scale on which it is added."""


def load_version_2(path: Path, content: dict[str, Any]) -> Problem:
    """Read a problem of PEtab version 2 from its YAML file, whose content is given.

    Raises
    ------
    ProblemError
        If a file, an id or a formula is missing or wrong, or something is not supported.
    """
    from gradaudit.model.sbml.experiment import unchanging
    from gradaudit.model.sbml.importer import identifiers

    sbml = _sbml(path, content)
    whole = _whole(path, content)
    reader = _Reader(path, whole, sbml, identifiers(sbml), unchanging(sbml))
    return reader.problem()


def _sbml(path: Path, content: dict[str, Any]) -> Path:
    models = content.get("model_files") or {}
    if not isinstance(models, dict) or not all(isinstance(own, dict) for own in models.values()):
        raise ProblemError(
            f"{path}: model_files is {models!r}; it must have an id with language and location."
        )
    if len(models) != 1:
        raise ProblemError(f"{path}: model_files lists {len(models)} models; one is supported.")
    ((name, entry),) = models.items()
    if str(entry.get("language")) != "sbml":
        raise ProblemError(
            f"{path}: the model {name!r} has the language {entry.get('language')!r}; 'sbml' is "
            "supported."
        )
    found = path.parent / str(entry.get("location"))
    if not found.is_file():
        raise ProblemError(f"{path}: model_files: {found} does not exist; correct the name.")
    return found


def _whole(path: Path, content: dict[str, Any]) -> Any:
    from jsonschema import ValidationError as Invalid
    from petab.v2 import Problem as Tables

    for key, columns in COLUMNS_2.items():
        for name in names_of_files(path, content.get(f"{key}_files"), f"{key}_files"):
            if not (path.parent / name).is_file():
                raise ProblemError(f"{path}: {key}_files: {name} does not exist; correct the name.")
            check_header(path.parent / name, columns)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Tables.from_yaml(path)
    except (
        ValueError, KeyError, TypeError, AttributeError, OSError, ArithmeticError, Invalid
    ) as error:  # fmt: skip
        raise ProblemError(f"{path}: not readable as PEtab 2: {said(error, content)}.") from error


class _Reader:
    """Resolves the references between the tables."""

    def __init__(
        self,
        path: Path,
        whole: Any,
        sbml: Path,
        known: frozenset[str],
        unchanging: frozenset[str],
    ) -> None:
        self.path, self.whole, self.sbml = path, whole, sbml
        self.known, self.unchanging = known, unchanging
        self.names = {
            own.petab_id: own.model_id for own in whole.mappings if own.model_id is not None
        }
        self.files = {
            key: ", ".join(Path(str(own)).name for own in getattr(whole.config, f"{key}_files"))
            for key in ("parameter", "observable", "measurement", "condition", "experiment")
        }

    def problem(self) -> Problem:
        self.unique("parameter", self.whole.parameters)
        self.unique("observable", self.whole.observables)
        estimated, fixed = self.parameters()
        self.sources: dict[str, Source] = {**fixed, **{name: name for name in estimated.names}}
        if not self.whole.measurements:
            raise ProblemError(f"{self.path}: the measurement table is missing or empty.")
        self.conditions = {own.id: own for own in self.whole.conditions}
        experiments = {own.id: self.experiment(own) for own in self.whole.experiments}
        model, other = self.split()
        experiments[""] = Condition(name="", model=model, other=other)
        observables = {own.id: self.observable(own) for own in self.whole.observables}
        rows = enumerate(self.whole.measurements)
        measurements = [self.measurement(i, own, observables, experiments) for i, own in rows]
        return Problem(
            name=self.path.stem,
            path=self.path,
            sbml=self.sbml,
            parameters=estimated,
            observables=observables,
            conditions=experiments,
            measurements=tuple(measurements),
            model_ids=self.known,
            priors=self.priors(estimated),
        )

    def unique(self, table: str, rows: Any) -> None:
        """Refuse an id that occurs twice: a later row would take the place of the first."""
        ids = [own.id for own in rows]
        twice = [name for name in ids if ids.count(name) > 1]
        if twice:
            raise ProblemError(f"{self.files[table]}: the id {twice[0]!r} occurs twice.")

    def parameters(self) -> tuple[Parameters, dict[str, Source]]:
        rows, fixed = [], {}
        for own in self.whole.parameters:
            where = f"{self.files['parameter']}, {own.id!r}"
            nominal = number(own.nominal_value)
            if nominal is None or not math.isfinite(nominal):
                raise ProblemError(f"{where}: nominalValue is missing; give it a finite number.")
            name = self.names.get(own.id, own.id)
            if not own.estimate:
                fixed[name] = nominal
                continue
            lower, upper = (math.nan if b is None else float(b) for b in (own.lb, own.ub))
            rows.append((name, "lin", nominal, lower, upper))
        if not rows:
            raise ProblemError(
                f"{self.files['parameter']}: no parameter is estimated, so there is no gradient. "
                "Set estimate to true for one."
            )
        return parameters(rows), dict(fixed)

    def priors(self, estimated: Parameters) -> dict[str, Prior]:
        """If one parameter has a prior, those without one are uniform within their bounds."""
        rows = {self.names.get(own.id, own.id): own for own in self.whole.parameters}
        chosen = [rows[name] for name in estimated.names]
        if not any(own.prior_distribution is not None for own in chosen):
            return {}
        found = {}
        for name, own, lower, upper in zip(
            estimated.names, chosen, estimated.lower, estimated.upper, strict=True
        ):
            kind, bounds = own.prior_distribution, (float(lower), float(upper))
            where = f"{self.files['parameter']}, {own.id!r}"
            if kind is not None:
                text = str(getattr(kind, "value", kind))
                found[name] = prior(text, own.prior_parameters, VERSION_2, "lin", bounds, where)
            elif math.isfinite(lower) and math.isfinite(upper):
                found[name] = prior("uniform", bounds, VERSION_2, "lin", bounds, where)
        return found

    def formula(self, tree: Any, where: str) -> Expression:
        import sympy

        found = checked(expression(str(tree), sympy.sympify(tree)), where)
        return renamed(found, self.names)

    def observable(self, own: Any) -> Observable:
        where = f"{self.files['observable']}, {own.id!r}"
        kind = str(getattr(own.noise_distribution, "value", own.noise_distribution))
        if kind not in NOISE:
            raise ProblemError(
                f"{where}: noiseDistribution is {kind!r}; one of {tuple(NOISE)} is supported."
            )
        if own.formula is None or own.noise_formula is None:
            raise ProblemError(f"{where}: observableFormula or noiseFormula is missing.")
        distribution, scale = NOISE[kind]
        value, noise = (self.formula(f, where) for f in (own.formula, own.noise_formula))
        if own.id in noise.names:
            noise = replaced(noise, own.id, value)
        return Observable(
            name=own.id, scale=scale, distribution=distribution, value=value, noise=noise
        )

    def split(self, without: frozenset[str] = frozenset()) -> tuple[dict[str, Source], Any]:
        """Sources of ids of the model, and of others, without those that a condition sets."""
        kept = {name: s for name, s in self.sources.items() if name not in without}
        return (
            {name: s for name, s in kept.items() if name in self.known},
            {name: s for name, s in kept.items() if name not in self.known},
        )

    def changes(self, period: Any, experiment: str) -> dict[str, Expression]:
        """What the conditions of a period set, by id of the model."""
        found: dict[str, Expression] = {}
        for name in period.condition_ids:
            if name not in self.conditions:
                raise ProblemError(
                    f"{self.files['experiment']}, {experiment!r}: there is no condition {name!r}."
                )
            where = f"{self.files['condition']}, {name!r}"
            for change in self.conditions[name].changes:
                target = self.names.get(change.target_id, change.target_id)
                if target not in self.known:
                    raise ProblemError(f"{where}: the target {target!r} is not in the model.")
                if target in self.sources:
                    raise ProblemError(
                        f"{where}: the target {target!r} is in the parameter table, too."
                    )
                if target in found:
                    raise ProblemError(
                        f"{where}: another condition at time {period.time:g} sets {target!r}, too."
                    )
                found[target] = self.formula(change.target_value, where)
                lost = sorted({*found[target].names} - self.known - self.sources.keys() - {TIME})
                if lost:
                    raise ProblemError(
                        f"{where}: the value of {target!r} has {lost[0]!r}, which is neither in "
                        "the model nor in the parameter table."
                    )
        return found

    def plain(self, changes: Mapping[str, Expression]) -> bool:
        """Whether values follow from constants alone, and so can be initial values."""
        used = {name for formula in changes.values() for name in formula.names}
        moving = used & (self.known - self.unchanging) | used & changes.keys() | used & {TIME}
        return not moving

    def experiment(self, own: Any) -> Condition:
        periods = sorted(own.periods, key=lambda period: period.time)
        where = f"{self.files['experiment']}, {own.id!r}"
        if not periods:
            raise ProblemError(f"{where}: there is no period.")
        sets = [self.changes(period, own.id) for period in periods]
        rests = periods[0].time == -math.inf
        initial_before = sets[0] if rests else {}
        if not self.plain(initial_before):
            raise ProblemError(
                f"{where}: the period at -inf sets values that depend on states; give it values "
                "that follow from parameters."
            )
        finite = [(float(p.time), own) for p, own in zip(periods, sets, strict=True)][rests:]
        start = finite[0][0] if finite else 0.0
        first = finite[0][1] if finite else {}
        initial, later = dict(initial_before), list(finite[1:])
        resets: frozenset[str] = frozenset()
        if self.plain(first):
            initial |= first
            resets = frozenset(first)
        else:
            later.insert(0, (start, first))
        targets = frozenset().union(*sets)
        model, other = self.split(targets)
        return Condition(
            name=own.id,
            model=model,
            other=other,
            before=model if rests else None,
            resets=resets,
            start=start,
            initial=initial,
            initial_before=initial_before,
            changes=tuple((time, own) for time, own in later if own),
        )

    def measurement(
        self,
        index: int,
        own: Any,
        observables: dict[str, Observable],
        experiments: dict[str, Condition],
    ) -> Measurement:
        file = self.files["measurement"]
        where = f"{file}, " + (f"row {index + 1}" if "," in file else f"line {index + 2}")
        experiment = own.experiment_id or ""
        if own.observable_id not in observables:
            raise ProblemError(f"{where}: there is no observable {own.observable_id!r}.")
        if experiment not in experiments:
            raise ProblemError(f"{where}: there is no experiment {experiment!r}.")
        condition, observable = experiments[experiment], observables[own.observable_id]
        time, value = float(own.time), float(own.measurement)
        if math.isnan(time) or time < condition.start:
            raise ProblemError(
                f"{where}: the time is {time:g}; the experiment begins at {condition.start:g}."
            )
        if not math.isfinite(value):
            raise ProblemError(f"{where}: the measurement is {value!r}, no number.")
        if observable.scale != "lin" and not value > 0.0:
            raise ProblemError(f"{where}: the measurement {value:g} has no logarithm.")
        definition = next(o for o in self.whole.observables if o.id == own.observable_id)
        overrides: dict[str, Source] = {}
        for kind in ("observable", "noise"):
            names = [str(name) for name in getattr(definition, f"{kind}_placeholders")]
            given = list(getattr(own, f"{kind}_parameters"))
            if len(names) != len(given):
                raise ProblemError(
                    f"{where}: {kind}Parameters has {len(given)} entries, and the observable has "
                    f"{len(names)} placeholders."
                )
            for name, cell in zip(names, given, strict=True):
                overrides[name] = self.source(cell, f"{where}, {kind}Parameters")
        self.check(observable, condition, overrides, where)
        return Measurement(
            row=index,
            observable=observable.name,
            condition=experiment,
            time=time,
            value=value,
            overrides=overrides,
        )

    def source(self, cell: Any, where: str) -> Source:
        found = number(cell)
        if found is not None and math.isfinite(found):
            return found
        name = self.names.get(str(cell), str(cell))
        if name in self.sources:
            return self.sources[name]
        raise ProblemError(
            f"{where}: {str(cell)!r} is neither a finite number nor a parameter of the parameter "
            "table."
        )

    def check(
        self, observable: Observable, condition: Condition, overrides: Any, where: str
    ) -> None:
        """Every name in a formula has a meaning."""
        names = {*observable.value.names, *observable.noise.names}
        lost = sorted(names - self.known - {TIME} - condition.other.keys() - overrides.keys())
        if lost:
            raise ProblemError(
                f"{self.files['observable']}, {observable.name!r}: the formula has {lost[0]!r}, "
                "which is neither in the model nor in the parameter table, nor a placeholder "
                f"({where})."
            )
