rule report:
    input:
        audits="<results>/atlas/audits.parquet",
        verdicts="<results>/atlas/verdicts.parquet",
        frontier="<results>/atlas/frontier.parquet",
        experiments=EXPERIMENT_TABLES,
        references=REFERENCES,
        figures=FIGURES,
        code=code("report"),
    output:
        "<results>/report/report.html",
    log:
        "<logs>/report.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("report"),
    shell:
        "gradaudit report --audits {input.audits:q} --verdicts {input.verdicts:q}"
        " --frontier {input.frontier:q} --experiments {input.experiments:q}"
        " --references {input.references:q} --figures {input.figures:q}"
        " --settings {params.settings:q} --output {output:q} > {log:q} 2>&1"
