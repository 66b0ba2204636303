rule trust:
    input:
        audits="<results>/atlas/audits.parquet",
    output:
        skills="<results>/trust/skill.parquet",
        predictions="<results>/trust/predictions.parquet",
        calibrations="<results>/trust/calibration.parquet",
        misses="<results>/trust/fooled.parquet",
        scores="<results>/trust/scores.json",
    log:
        "<logs>/trust.log",
    priority: 20
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("trust"),
        code=code("trust"),
    shell:
        "gradaudit trust --audits {input.audits:q} --settings {params.settings:q}"
        " --skills {output.skills:q} --predictions {output.predictions:q}"
        " --calibrations {output.calibrations:q} --misses {output.misses:q}"
        " --scores {output.scores:q} > {log:q} 2>&1"


rule figures_trust:
    input:
        skills="<results>/trust/skill.parquet",
        predictions="<results>/trust/predictions.parquet",
    output:
        skill=report(
            "<results>/figures/skill.png",
            caption="../report/skill.rst",
            category="Atlas",
            labels={"model": "all", "figure": "skill of the indicators"},
        ),
        trust=report(
            "<results>/figures/trust.png",
            caption="../report/trust.rst",
            category="Atlas",
            labels={"model": "all", "figure": "trust score"},
        ),
    log:
        "<logs>/figures/trust.log",
    priority: 20
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("figures"),
        code=code("figures"),
    shell:
        "gradaudit figures trust --skills {input.skills:q} --predictions {input.predictions:q}"
        " --settings {params.settings:q}"
        ' --output-dir "$(dirname {output.skill:q})" > {log:q} 2>&1'
