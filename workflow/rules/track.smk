# One job for all models: only one process may create a store. The store is no output, since
# Snakemake would delete it before every run; runs that are already in it are kept.
rule track:
    input:
        tables=TABLES,
        references=REFERENCES,
        experiments=EXPERIMENT_TABLES,
        verdicts="<results>/atlas/verdicts.parquet",
        figures=FIGURES,
        code=code("track"),
    output:
        "<results>/track/done.json",
    log:
        "<logs>/track.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("track"),
    shell:
        "gradaudit track --tables {input.tables:q} --references {input.references:q}"
        " --experiments {input.experiments:q} --verdicts {input.verdicts:q}"
        " --figures {input.figures:q} --settings {params.settings:q}"
        " --output {output:q} > {log:q} 2>&1"
