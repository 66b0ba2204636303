"""From content to HTML: one template, one style sheet, a script that the page can do without."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from gradaudit.report.glossary import FIRST

TEMPLATES = Path(__file__).parent / "templates"

_UNBROKEN = re.compile(r"\d[\d.]*(?:e-\d+| (?:µs|ms|s|min|%)(?!\w))")

CAPTIONS = {
    "convergence": (
        "Error of the gradient against the tolerance",
        "A horizontal line does not converge, unless it is at the level of rounding.",
    ),
    "attribution": (
        "Which part of the error dominates",
        "What wrong states and wrong tangents contribute to the error.",
    ),
    "work_precision": (
        "Error of the gradient against time",
        "Error achieved against the time of a solve, without compilation.",
    ),
    "mechanisms": (
        "Verdicts by mechanism and method",
        "Expected and measured verdicts by mechanism and method, over the main functionals. "
        "The table below counts all functionals whose true gradient is not 0.",
    ),
    "published_problems": (
        "Error of the gradient of each log-likelihood by setting and tool",
        "Relative error at the nominal parameters, against the certified gradient. Blue is below "
        "1 %, red above; a word says why there is no gradient.",
    ),
    "laws": (
        "Error of the gradient against error of the states, by mechanism",
        "Along a line the error of the gradient is the error of the states times a factor. At the "
        "left edge and on horizontal rows the two are unrelated.",
    ),
    "laws_axes": (
        "Error of the gradient against stiffness, window and distance to a bifurcation",
        "The models that are audited at several values of stiffness, window or distance.",
    ),
    "ranking": (
        "Verdicts and ranks of the kinds of functionals",
        "Kinds of functionals from the most accurate to the least, by the rank of the error.",
    ),
    "skill": (
        "What each indicator is worth, and what it costs",
        "Area under the ROC on mechanisms that set no threshold, with 95 % intervals.",
    ),
    "trust": (
        "Estimated against true error of the gradient",
        "The trust score on mechanisms that it was not fitted to.",
    ),
    "remedies": (
        "Share of gradients that are good after each remedy, by mechanism",
        "What one change does to gradients that are not good.",
    ),
}
"""Kind of figure to its text for those who do not see it, and to its caption."""


def say(text: str) -> Markup:
    """Text in which no number is broken at the sign of its exponent or before its unit."""
    return Markup(_UNBROKEN.sub(r'<span class="number">\g<0></span>', str(escape(text))))


def render(**content: Any) -> str:
    """The page; a name that the template misses is an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["say"] = say
    css = Markup((TEMPLATES / "report.css").read_text(encoding="utf-8"))
    script = Markup((TEMPLATES / "report.js").read_text(encoding="utf-8"))
    template = environment.get_template("report.html.j2")
    return template.render(css=css, script=script, captions=CAPTIONS, words=FIRST, **content)
