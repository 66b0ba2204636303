"""External solvers: sensitivities by tools of other projects, an optional extra."""
