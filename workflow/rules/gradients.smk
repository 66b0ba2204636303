rule gradients:
    input:
        model=model_file,
    output:
        "<results>/gradients/{model}/{solver}.nc",
    log:
        "<logs>/gradients/{model}/{solver}.log",
    priority: 10
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        settings=settings("gradients"),
        code=code("gradients"),
    shell:
        "gradaudit gradients {params.model:q} --solver {wildcards.solver}"
        " --settings {params.settings:q} --output {output:q} > {log:q} 2>&1"
