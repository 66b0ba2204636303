rule atlas:
    input:
        tables=TABLES,
        code=code("atlas"),
    output:
        audits="<results>/atlas/audits.parquet",
        verdicts="<results>/atlas/verdicts.parquet",
        frontier="<results>/atlas/frontier.parquet",
    log:
        "<logs>/atlas.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("atlas"),
    shell:
        "gradaudit atlas --tables {input.tables:q} --settings {params.settings:q}"
        " --audits {output.audits:q} --verdicts {output.verdicts:q}"
        " --frontier {output.frontier:q} > {log:q} 2>&1"
