import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from gradaudit.pipeline import prefork
from gradaudit.pipeline import config as configuration
from gradaudit.pipeline.config import choices
from gradaudit.records import code_digest
from gradaudit.errors import GradauditError

ENVIRONMENT = "../envs/gradaudit.yaml"


def checked(function, *arguments, **keywords):
    """Call a function of the package; its message is shown without a traceback."""
    try:
        return function(*arguments, **keywords)
    except GradauditError as error:
        raise WorkflowError(str(error)) from None


STUDY = checked(configuration.read, config, workflow.configfiles)
config.update(STUDY.plain())  # the defaults, too

MODEL_SPECS = choices.model_specs(STUDY)
MODEL_FILES = choices.model_files(STUDY)
MODELS = choices.keys_of(STUDY.models)
EXPERIMENTS = choices.keys_of(STUDY.experiment.models)
SWEEPS = choices.keys_of(STUDY.sweep.models)

# Rules call the `gradaudit` beside the Python that runs Snakemake. The command is looked up by
# PATH, since a full path in a rule would make every job look changed when the repository moves.
os.environ.update(
    PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    GRADAUDIT_CACHE=f"{STUDY.results}/.cache/xla",
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


def gradient_files(wildcards):
    """The sensitivities of a model, by the solvers that are for it."""
    folder = f"{STUDY.results}/gradients/{wildcards.model}"
    return [
        f"{folder}/{solver}.nc"
        for solver in choices.solvers_for(STUDY, wildcards.model)
    ]


def settings(stage):
    """What a stage reads of the configuration, as canonical JSON."""
    return lambda wildcards: configuration.settings_of(
        stage,
        STUDY,
        solver=wildcards.get("solver", ""),
        model=wildcards.get("model", ""),
    )


# The SQLite store, unless runs go to a server.
STORE = {} if STUDY.tracking.uri else {"store": "<results>/mlflow/mlflow.db"}
SIMULATIONS = expand(
    "<results>/simulate/{model}/{solver}.nc",
    model=MODELS,
    solver=choices.plain_solvers(STUDY),
)
REFERENCES = expand("<results>/reference/{model}.nc", model=MODELS)
TABLES = expand("<results>/evaluate/{model}.parquet", model=MODELS)
EXPERIMENT_TABLES = expand("<results>/experiment/{model}.parquet", model=EXPERIMENTS)
FIGURES = [
    *expand(
        "<results>/figures/{kind}_{model}.png",
        kind=["convergence", "attribution", "work_precision"],
        model=MODELS,
    ),
    *expand("<results>/figures/experiment_{model}.png", model=EXPERIMENTS),
    *expand("<results>/figures/sweep_{model}.png", model=SWEEPS),
    *expand(
        "<results>/figures/{kind}.png",
        kind=[
            "mechanisms",
            "regime_map",
            "laws",
            "laws_axes",
            "ranking",
            "remedies",
            "indicator",
            "skill",
            "trust",
        ],
    ),
]
