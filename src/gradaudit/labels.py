"""What the names in the tables are called in figures, reports and sentences."""

from __future__ import annotations

VERDICTS = ("good", "bad", "horrible")
"""From best to worst."""

METHODS = {
    "forward_ad": "forward AD",
    "forward_sensitivity": "full control",
    "saltation": "with saltation",
    "dual_norm": "dual norm",
    "forward_sensitivity_partial": "partial control",
    "taylor": "Taylor",
    "finite_difference": "finite differences",
    "complex_step": "complex step",
    "discrete_adjoint": "discrete adjoint",
    "backsolve_adjoint": "backsolve adjoint",
    "cvodes": "CVODES",
    "cvodes_partial": "CVODES, partial control",
    "diffsol": "diffsol",
    "diffsol_partial": "diffsol, partial control",
}
"""Methods, in the order in which they are shown."""

KINDS = {
    "terminal": "value at the end",
    "trace_sse": "sum of squares",
    "time_average": "time average",
    "solver_target": "sum of squares to the solver's own trace",
    "log_likelihood": "log-likelihood",
    "phase_aligned": "sum of squares without the shift",
    "maximum": "largest value on the grid",
    "spectrum": "power at the main frequency",
    "soft_count": "smooth number of spikes",
    "event_time": "time of an event",
    "event_value": "value at an event",
    "event_interval": "interval between events",
    "event_phase": "phase",
    "event_count": "number of events",
}
"""Families of functionals, in the order in which they are shown."""


def method_name(method: str) -> str:
    """A method as people call it."""
    return METHODS.get(method, method.replace("_", " "))


def kind_name(kind: str) -> str:
    """A family of functionals in words."""
    return KINDS.get(kind, kind.replace("_", " "))


def functional_name(functional: str, kind: str) -> str:
    """A functional in words, from its name in the tables and its kind."""
    rest = functional.removeprefix(f"{kind}_")
    match kind:
        case "terminal":
            return f"{rest} at the end"
        case "trace_sse":
            return f"sum of squares, {rest} target"
        case "time_average":
            return f"time average of {rest}"
        case "solver_target":
            made = {"trace_sse_same": "the same solve", "trace_sse_coarse": "a coarse solve"}
            return f"sum of squares, target of {made[functional]}" if functional in made else rest
    return functional.replace("_", " ")


def functional_names(functionals: dict[str, str]) -> dict[str, str]:
    """Names in words from functional to kind, sorted by kind as in `KINDS`."""
    kinds = list(KINDS)

    def rank(functional: str) -> tuple[int, str]:
        kind = functionals[functional]
        return (kinds.index(kind) if kind in KINDS else len(kinds), functional)

    return {
        name: functional_name(name, functionals[name]) for name in sorted(functionals, key=rank)
    }


def in_order(names: set[str], known: dict[str, str]) -> list[str]:
    """Those of `names` that are known, in the order of `known`, then the others by alphabet."""
    return [*(name for name in known if name in names), *sorted(names - set(known))]


def worst(verdicts: list[str]) -> str:
    """The worst of some verdicts; empty where there is none."""
    present = [word for word in VERDICTS if word in verdicts]
    return present[-1] if present else ""


SCORES = {
    "probed": "score, one direction",
    "propagated": "score, all directions",
    "second_solve": "score, second gradient",
}
"""Trust scores, the cheapest first."""


INDICATORS = {
    "estimated_error": "propagated embedded error",
    "probed_error": "propagated error, one direction",
    "control_difference": "against full control",
    "tolerance_difference": "against a looser tolerance",
    "embedded": "embedded error of the tangents",
    "amplification": "change of the states, amplified",
    "neglected": "neglected saltation",
    "crossing_slope": "slope of event times",
    "growth": "growth of the tangents",
    "stiffness": "stiffness",
    "rejected_share": "rejected steps",
}
"""Indicators, by their column in the tables."""


def indicator_name(name: str) -> str:
    """An indicator or a score as people call it."""
    return {**INDICATORS, **SCORES}.get(name, name.replace("_", " "))
