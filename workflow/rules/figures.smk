rule figures_model:
    input:
        table="<results>/evaluate/{model}.parquet",
        reference="<results>/reference/{model}.nc",
    output:
        convergence=report(
            "<results>/figures/convergence_{model}.png",
            caption="../report/convergence.rst",
            category="Models",
            subcategory="{model}",
            labels={"model": "{model}", "figure": "convergence"},
        ),
        attribution=report(
            "<results>/figures/attribution_{model}.png",
            caption="../report/attribution.rst",
            category="Models",
            subcategory="{model}",
            labels={"model": "{model}", "figure": "attribution"},
        ),
        work_precision=report(
            "<results>/figures/work_precision_{model}.png",
            caption="../report/work_precision.rst",
            category="Models",
            subcategory="{model}",
            labels={"model": "{model}", "figure": "work and precision"},
        ),
    log:
        "<logs>/figures/{model}.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("figures"),
        code=code("figures"),
    shell:
        "gradaudit figures model --table {input.table:q} --reference {input.reference:q}"
        " --settings {params.settings:q}"
        ' --output-dir "$(dirname {output.convergence:q})" > {log:q} 2>&1'


rule figures_experiment:
    input:
        table="<results>/experiment/{model}.parquet",
        traces="<results>/experiment/{model}.nc",
    output:
        report(
            "<results>/figures/experiment_{model}.png",
            caption="../report/experiment.rst",
            category="Published experiment",
            labels={"model": "{model}", "figure": "published experiment"},
        ),
    log:
        "<logs>/figures/experiment_{model}.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("figures_experiment"),
        code=code("figures"),
    shell:
        "gradaudit figures experiment --table {input.table:q} --traces {input.traces:q}"
        " --settings {params.settings:q} --output {output:q} > {log:q} 2>&1"


rule figures_atlas:
    input:
        audits="<results>/atlas/audits.parquet",
        verdicts="<results>/atlas/verdicts.parquet",
        frontier="<results>/atlas/frontier.parquet",
        laws="<results>/atlas/laws.parquet",
        ranking="<results>/atlas/ranking.parquet",
        remedies="<results>/atlas/remedies.parquet",
        regimes="<results>/atlas/regimes.parquet",
    output:
        mechanisms=report(
            "<results>/figures/mechanisms.png",
            caption="../report/mechanisms.rst",
            category="Atlas",
            labels={"model": "all", "figure": "mechanism by method"},
        ),
        laws=report(
            "<results>/figures/laws.png",
            caption="../report/laws.rst",
            category="Atlas",
            labels={"model": "all", "figure": "state error and gradient error"},
        ),
        laws_axes=report(
            "<results>/figures/laws_axes.png",
            caption="../report/laws_axes.rst",
            category="Atlas",
            labels={"model": "all", "figure": "stiffness, window, distance"},
        ),
        ranking=report(
            "<results>/figures/ranking.png",
            caption="../report/ranking.rst",
            category="Atlas",
            labels={"model": "all", "figure": "functionals"},
        ),
        remedies=report(
            "<results>/figures/remedies.png",
            caption="../report/remedies.rst",
            category="Atlas",
            labels={"model": "all", "figure": "remedies"},
        ),
        regime_map=report(
            "<results>/figures/regime_map.png",
            caption="../report/regime_map.rst",
            category="Atlas",
            labels={"model": "all", "figure": "map of regimes"},
        ),
        indicator=report(
            "<results>/figures/indicator.png",
            caption="../report/indicator.rst",
            category="Atlas",
            labels={"model": "all", "figure": "indicator"},
        ),
    log:
        "<logs>/figures/atlas.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("figures"),
        code=code("figures"),
    shell:
        "gradaudit figures atlas --audits {input.audits:q} --verdicts {input.verdicts:q}"
        " --frontier {input.frontier:q} --laws {input.laws:q} --ranking {input.ranking:q}"
        " --remedies {input.remedies:q} --regimes {input.regimes:q}"
        " --settings {params.settings:q}"
        ' --output-dir "$(dirname {output.regime_map:q})" > {log:q} 2>&1'
