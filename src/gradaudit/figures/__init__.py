"""Figures: every module draws one, from tables to a matplotlib Figure; none of them writes.

A module that declares ``FIGURE``, a `gradaudit.records.figure.Drawing`, is found by lying here.
"""

import pkgutil

MODULES = tuple(module.name for module in pkgutil.iter_modules(__path__))
"""What lies here; the stage that runs it looks into the folder, and so depends on all of it."""
