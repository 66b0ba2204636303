"""The documentation as a site: `make docs`."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert

from gradaudit import __version__

project = "gradaudit"
version = release = __version__
html_title = f"gradaudit {__version__}"
html_theme = "furo"
html_show_copyright = False

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinxcontrib.mermaid",
]

exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]

html_math_renderer = "mathml"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # shapes and types are in the sections of the docstrings
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False


def setup(app: Any) -> None:
    """Formulas as MathML, which browsers show without any script."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))


def _inline(self: Any, node: Any) -> None:
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _display(self: Any, node: Any) -> None:
    self.body.append(f"<p>{convert(node.astext(), display='block')}</p>")
    raise nodes.SkipNode
