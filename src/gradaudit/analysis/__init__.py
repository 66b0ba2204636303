"""Answers to the questions of the project, as pure functions of tables: tables in, tables out.

A module that declares ``TABLE``, a `gradaudit.records.table.Table`, makes a table of the atlas.
"""

import pkgutil

MODULES = tuple(module.name for module in pkgutil.iter_modules(__path__))
"""What lies here; the stage that runs it looks into the folder, and so depends on all of it."""
