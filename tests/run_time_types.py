"""Modules whose annotations, shapes of arrays included, the tests check at every call."""

CHECKED = [
    "gradaudit.backend.jaxpr.branches",
    "gradaudit.solvers.controller",
    "gradaudit.solvers.error_norm",
    "gradaudit.solvers.first_step",
    "gradaudit.solvers.global_error",
    "gradaudit.solvers.missed_saltation",
    "gradaudit.solvers.nest",
    "gradaudit.solvers.sciml_controller",
    "gradaudit.solvers.step_control",
    "gradaudit.solvers.stepped_output",
    "gradaudit.solvers.tangent_solver",
    "gradaudit.records.results",
    "gradaudit.evaluation.gradient_error",
    "gradaudit.evaluation.occurrences",
]
