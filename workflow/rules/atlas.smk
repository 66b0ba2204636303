rule atlas:
    input:
        tables=TABLES,
    output:
        audits="<results>/atlas/audits.parquet",
        verdicts="<results>/atlas/verdicts.parquet",
        frontier="<results>/atlas/frontier.parquet",
        laws="<results>/atlas/laws.parquet",
        ranking="<results>/atlas/ranking.parquet",
        remedies="<results>/atlas/remedies.parquet",
        regimes="<results>/atlas/regimes.parquet",
    log:
        "<logs>/atlas.log",
    priority: 20  # all that follows waits for it
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("atlas"),
        code=code("atlas"),
    shell:
        "gradaudit atlas --tables {input.tables:q} --settings {params.settings:q}"
        " --audits {output.audits:q} --verdicts {output.verdicts:q}"
        " --frontier {output.frontier:q} --laws {output.laws:q} --ranking {output.ranking:q}"
        " --remedies {output.remedies:q} --regimes {output.regimes:q} > {log:q} 2>&1"
