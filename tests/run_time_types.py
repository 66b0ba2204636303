"""Modules whose annotations, shapes of arrays included, the tests check at every call."""

CHECKED = [
    "gradaudit.solvers.error_norm",
    "gradaudit.solvers.missed_saltation",
    "gradaudit.solvers.sciml_controller",
]
