rule report:
    input:
        audits="<results>/atlas/audits.parquet",
        verdicts="<results>/atlas/verdicts.parquet",
        frontier="<results>/atlas/frontier.parquet",
        laws="<results>/atlas/laws.parquet",
        ranking="<results>/atlas/ranking.parquet",
        remedies="<results>/atlas/remedies.parquet",
        regimes="<results>/atlas/regimes.parquet",
        skill="<results>/trust/skill.parquet",
        experiments=EXPERIMENT_TABLES,
        references=REFERENCES,
        figures=FIGURES,
    output:
        "<results>/report/report.html",
    log:
        "<logs>/report.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("report"),
        code=code("report"),
        logs=f"{config['results']}/logs",
    shell:
        "gradaudit report --audits {input.audits:q} --verdicts {input.verdicts:q}"
        " --frontier {input.frontier:q} --laws {input.laws:q} --ranking {input.ranking:q}"
        " --remedies {input.remedies:q} --regimes {input.regimes:q} --skill {input.skill:q}"
        " --experiments {input.experiments:q}"
        " --references {input.references:q} --figures {input.figures:q}"
        " --settings {params.settings:q} --logs {params.logs:q} --output {output:q} > {log:q} 2>&1"
