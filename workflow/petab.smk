"""Certified gradients of the estimation problems in a folder: see docs/certified.md."""

import os
import sys
from pathlib import Path
from shlex import quote

from snakemake.utils import min_version

from gradaudit.cli.certify import documents
from gradaudit.errors import GradauditError
from gradaudit.model.spec import digests_of

min_version("9.27")


if not workflow.overwrite_configfiles:

    configfile: "config/petab.yaml"


RESULTS = Path(config["results"])
# The `gradaudit` beside the Python that runs Snakemake.
os.environ["PATH"] = (
    f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
)

try:
    PROBLEMS = documents([Path(config["folder"])])
except GradauditError as error:
    raise WorkflowError(f"folder: {error}") from None


def files_of(wildcards):
    """All files of a problem."""
    path = PROBLEMS[wildcards.problem]
    return [path.parent / name for name in digests_of(path)]


wildcard_constraints:
    problem="[^/]+",


rule all:
    input:
        expand(RESULTS / "{problem}.json", problem=PROBLEMS),


rule certify:
    input:
        files_of,
    output:
        RESULTS / "{problem}.json",
    log:
        RESULTS / "logs" / "{problem}.log",
    conda:
        "envs/gradaudit.yaml"
    params:
        problem=lambda wildcards: quote(str(PROBLEMS[wildcards.problem])),
        output=quote(str(RESULTS)),
        drawn=config["drawn"],
        seed=config["seed"],
        digits=config["digits"],
        time_limit=config["time_limit"],
    shell:
        # 1: a gradient is not certified, which the document says
        "gradaudit certify {params.problem} --output {params.output} --drawn {params.drawn}"
        " --seed {params.seed} --digits {params.digits} --time-limit {params.time_limit}"
        " > {log:q} 2>&1 || [ $? -eq 1 ]"
