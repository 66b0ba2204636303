"""What the names in the tables are called in figures, reports and sentences."""

from __future__ import annotations

import re

from gradaudit.records.catalogue import catalogue, label, names

VERDICTS = ("good", "bad", "horrible")
"""From best to worst."""


def method_name(method: str) -> str:
    """A method as people call it."""
    return label("methods", method)


def kind_name(kind: str) -> str:
    """A family of functionals in words."""
    return label("functionals", kind)


def ranked_name(kind: str) -> str:
    """A family in words where a ranking counts only its members with a gradient that is not 0."""
    families = catalogue("functionals")
    return (families[kind].ranked_label if kind in families else "") or kind_name(kind)


def functional_name(functional: str, kind: str) -> str:
    """A functional in words, from its name in the tables and its kind."""
    families = catalogue("functionals")
    naming = families[kind].naming if kind in families else None
    # An underscore that ends the name of a state is part of that name.
    return str(naming(functional)) if naming else re.sub(r"_(?!_|$)", " ", functional)


def functional_names(functionals: dict[str, str]) -> dict[str, str]:
    """Names in words from functional to kind, sorted by kind in the order of the catalogue."""
    kinds = names("functionals")

    def rank(functional: str) -> tuple[int, str]:
        kind = functionals[functional]
        return (kinds.index(kind) if kind in kinds else len(kinds), functional)

    return {
        name: functional_name(name, functionals[name]) for name in sorted(functionals, key=rank)
    }


def in_order(present: set[str], kind: str) -> list[str]:
    """The known ones of `present` in the order of the catalogue, then the others by alphabet.

    Parameters
    ----------
    kind
        Of `gradaudit.records.catalogue.KINDS`, such as "methods".
    """
    known = names(kind)
    return [*(name for name in known if name in present), *sorted(present - set(known))]


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


def indicator_name(name: str) -> str:
    """An indicator or a score as people call it."""
    return SCORES[name] if name in SCORES else label("indicators", name)
