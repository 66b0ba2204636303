rule sweep:
    input:
        model=model_file,
    output:
        "<results>/sweep/{model}.nc",
    log:
        "<logs>/sweep/{model}.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        settings=settings("sweep"),
        code=code("sweep"),
    shell:
        "gradaudit sweep {params.model:q} --settings {params.settings:q}"
        " --output {output:q} > {log:q} 2>&1"


rule figures_sweep:
    input:
        sweep="<results>/sweep/{model}.nc",
    output:
        report(
            "<results>/figures/sweep_{model}.png",
            caption="../report/sweep.rst",
            category="Along a parameter",
            labels={"model": "{model}", "figure": "along a parameter"},
        ),
    log:
        "<logs>/figures/sweep_{model}.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("figures"),
        code=code("figures"),
    shell:
        "gradaudit figures sweep --sweep {input.sweep:q} --settings {params.settings:q}"
        " --output {output:q} > {log:q} 2>&1"
