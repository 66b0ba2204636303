"""Independent witnesses: sensitivities by solvers of other projects, each an optional extra."""
