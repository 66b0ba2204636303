"""The documentation as a site: `make docs`."""

from __future__ import annotations

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

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # shapes and types are in the sections of the docstrings
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
