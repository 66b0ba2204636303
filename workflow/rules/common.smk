import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from gradaudit.pipeline import config as configuration
from gradaudit.pipeline import (
    alive,
    expected,
    flow,
    job_messages,
    leftovers,
    prefork,
    rules,
    temporary,
)
from gradaudit.pipeline.config import choices
from gradaudit.records.figure import drawings
from gradaudit.model import spec
from gradaudit.records import code_digest
from gradaudit.errors import GradauditError

ENVIRONMENT = "../envs/gradaudit.yaml"


def checked(function, *arguments, **keywords):
    """Call a function of the package; its message is shown without a traceback."""
    try:
        return function(*arguments, **keywords)
    except GradauditError as error:
        raise WorkflowError(str(error)) from None


job_messages.shorten(logger)

STUDY = checked(configuration.read, config, workflow.configfiles)
config.update(STUDY.plain())  # the defaults, too

MODEL_SPECS = choices.model_specs(STUDY)
MODEL_FILES = choices.model_files(STUDY)

# Whoever starts later can tell a run that was killed from one that runs, see `make unlock`.
alive.hold(leftovers.workflow_lock(Path()))

# Jobs check by this file that what they read is what belongs there.
PLAN = expected.as_text(expected.expected(STUDY))
PLAN_FILE = expected.plan_file(STUDY, PLAN)

# Rules call the `gradaudit` beside the Python that runs Snakemake. The command is looked up by
# PATH, since a full path in a rule would make every job look changed when the repository moves.
os.environ.update(
    PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    GRADAUDIT_CACHE=f"{STUDY.results}/.cache/xla",
    GRADAUDIT_STUDY=str(PLAN_FILE),
    GRADAUDIT_IMPORT_S=str(STUDY.limits.import_s),
    GRADAUDIT_JOB_S=str(STUDY.limits.job_s),
)


pathvars:
    results=STUDY.results,
    logs=f"{STUDY.results}/logs",


wildcard_constraints:
    model="|".join(map(re.escape, MODEL_FILES)),
    solver="|".join(map(re.escape, STUDY.solvers)),


def code(stage):
    """Digest of the modules that a stage imports: an edit of one of them reruns it.

    As inputs they would say the same, but Snakemake spends seconds a job on hundreds of them.
    """
    return code_digest.code_digest(stage)


def model_file(wildcards):
    """The file that defines a model."""
    return MODEL_FILES[wildcards.model]


def model_spec(wildcards):
    """What a stage loads: that file, with a setting of its axes if there is one."""
    return MODEL_SPECS[wildcards.model]


def model_digest(wildcards):
    """What that file holds: its time of change may say nothing, as after a copy."""
    return spec.digest_of(MODEL_FILES[wildcards.model])


def inputs(stage):
    """The inputs of a stage by name, with the file of the model where it solves one."""
    solved = flow.stages()[stage].process == "solving"
    return {
        **({"model": model_file} if solved else {}),
        **rules.inputs(stage, STUDY),
    }


def reported(stage):
    """The figures of a stage by name, with their places in Snakemake's own report."""
    return {
        name: report(path, **listed(name))
        for name, path in rules.outputs(stage).items()
    }


def listed(name):
    """Caption, category and labels of a figure."""
    drawing = drawings()[name][1]
    caption = CAPTIONS / f"{name}.rst"
    caption.write_text(drawing.caption, encoding="utf-8")
    each = drawing.of in ("model", "experiment", "sweep")
    return {
        "caption": str(caption),
        "category": drawing.category,
        **({"subcategory": drawing.subcategory} if drawing.subcategory else {}),
        "labels": {"model": "{model}" if each else "all", "figure": drawing.label},
    }


def settings(stage):
    """What a stage reads of the configuration, as canonical JSON."""
    return lambda wildcards: configuration.settings_of(
        stage,
        STUDY,
        solver=wildcards.get("solver", ""),
        model=wildcards.get("model", ""),
    )


outputs, command, log_of = rules.outputs, rules.command, rules.log
# The SQLite store, unless runs go to a server.
STORE = {} if STUDY.tracking.uri else {"store": "<results>/mlflow/mlflow.db"}
CAPTIONS = temporary.make()  # Snakemake reads captions from files
