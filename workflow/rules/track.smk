# One job for all models: only one process may create a store. The store is an output so that one
# that was deleted is built again; `update` keeps it, and the runs in it, before a rerun.
rule track:
    input:
        tables=TABLES,
        references=REFERENCES,
        experiments=EXPERIMENT_TABLES,
        verdicts="<results>/atlas/verdicts.parquet",
        figures=FIGURES,
    output:
        **{name: update(path) for name, path in STORE.items()},
        done="<results>/track/done.json",
    log:
        "<logs>/track.log",
    priority: 20  # the longest of the last jobs
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("track"),
        code=code("track"),
    shell:
        "gradaudit track --tables {input.tables:q} --references {input.references:q}"
        " --experiments {input.experiments:q} --verdicts {input.verdicts:q}"
        " --figures {input.figures:q} --settings {params.settings:q}"
        " --output {output.done:q} > {log:q} 2>&1"
