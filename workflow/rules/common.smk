import os
import re
import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

from gradaudit.pipeline import configuration, prefork
from gradaudit.records import code_digest
from gradaudit.errors import GradauditError

SCHEMA = "../schemas/config.schema.yaml"
ENVIRONMENT = "../envs/gradaudit.yaml"


def checked(function, *arguments, **keywords):
    """Call a function of the package; its message is shown without a traceback."""
    try:
        return function(*arguments, **keywords)
    except GradauditError as error:
        raise WorkflowError(str(error)) from None


schema_text = Path(workflow.source_path(SCHEMA)).read_text(encoding="utf-8")
checked(configuration.check_schema, config, yaml.safe_load(schema_text))
validate(config, SCHEMA)  # fills in the defaults
checked(configuration.check_names, config)

MODEL_FILES = checked(configuration.model_files, config)
MODEL_SPECS = checked(configuration.model_specs, config)
MODELS = configuration.keys_of(config["models"])
EXPERIMENTS = configuration.keys_of(config["experiment"]["models"])
SWEEPS = configuration.keys_of(config["sweep"]["models"])
SOLVERS = list(config["solvers"])

# Rules call the `gradaudit` beside the Python that runs Snakemake. The command is looked up by
# PATH, since a full path in a rule would make every job look changed when the repository moves.
os.environ.update(
    PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    GRADAUDIT_CACHE=f"{config['results']}/.cache/xla",
)


pathvars:
    results=config["results"],
    logs=f"{config['results']}/logs",


wildcard_constraints:
    model="|".join(map(re.escape, MODEL_FILES)),
    solver="|".join(SOLVERS),


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
    folder = f"{config['results']}/gradients/{wildcards.model}"
    return [
        f"{folder}/{solver}.nc"
        for solver in configuration.solvers_for(config, wildcards.model)
    ]


def settings(stage):
    """What a stage reads of the configuration, as canonical JSON."""
    return lambda wildcards: configuration.settings_of(
        stage,
        config,
        solver=wildcards.get("solver", ""),
        model=wildcards.get("model", ""),
    )


# The SQLite store, unless runs go to a server.
STORE = {} if config["tracking"]["uri"] else {"store": "<results>/mlflow/mlflow.db"}
SIMULATIONS = expand(
    "<results>/simulate/{model}/{solver}.nc",
    model=MODELS,
    solver=checked(configuration.plain_solvers, config),
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
