rule reference:
    input:
        model=model_file,
    output:
        "<results>/reference/{model}.nc",
    log:
        "<logs>/reference/{model}.log",
    priority: 10
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        settings=settings("reference"),
        code=code("reference"),
    shell:
        "gradaudit reference {params.model:q}"
        " --settings {params.settings:q} --output {output:q} > {log:q} 2>&1"
