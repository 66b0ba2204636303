"""gradaudit: where forward-mode gradients through ODE solvers can be trusted."""

from snakemake.utils import min_version

min_version("9.27")


# A file given by --configfile takes the place of this one; keys that it lacks have the defaults of
# gradaudit.pipeline.config. Values given by --config are put on top of either.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


onstart:
    alive.hold(leftovers.results_lock(Path(config["results"])))
    expected.write_plan(PLAN_FILE, PLAN)
    if workflow.local_exec:  # on a cluster jobs stay within what they were granted
        prefork.start(Path(config["results"]) / "logs" / "warm.log")
        # By a limit of jobs a second, which cores make needless here, Snakemake 9 chooses jobs anew
        # every second, and once more for each job that has ended: in the end half a core's work.
        workflow.scheduler.job_rate_limiter = None


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/reference.smk"
include: "workflow/rules/gradients.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/experiment.smk"
include: "workflow/rules/sweep.smk"
include: "workflow/rules/certificate.smk"
include: "workflow/rules/problem.smk"
include: "workflow/rules/checkers.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/fisher.smk"
include: "workflow/rules/atlas.smk"
include: "workflow/rules/trust.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/track.smk"


rule all:
    default_target: True
    input:
        rules.everything(STUDY),
        *STORE.values(),
