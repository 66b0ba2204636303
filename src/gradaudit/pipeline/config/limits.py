"""Section of the limits of time: of a solve, of loading a model, of a job."""

from __future__ import annotations

from typing import Annotated

from gradaudit.pipeline.config.fields import Fraction, Section, key


class Limits(Section):
    """Wall-clock times after which something is given up; on Linux alone."""

    solve_s: Annotated[
        Fraction,
        key(
            "a solve that takes longer, compilation included, is given up, with the status "
            "`time_limit`; so are those at tighter tolerances",
            unit="s",
            read_by=("simulate", "gradients", "experiment", "sweep"),
        ),
    ] = 900
    import_s: Annotated[
        Fraction,
        key("importing and checking the file of a model; then its jobs fail", unit="s"),
    ] = 300
    job_s: Annotated[Fraction, key("a job; then it fails", unit="s")] = 14400
