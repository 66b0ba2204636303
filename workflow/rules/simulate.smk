rule simulate:
    input:
        model=model_file,
    output:
        "<results>/simulate/{model}/{solver}.nc",
    log:
        "<logs>/simulate/{model}/{solver}.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        settings=settings("simulate"),
        code=code("simulate"),
    shell:
        "gradaudit simulate {params.model:q} --solver {wildcards.solver}"
        " --settings {params.settings:q} --output {output:q} > {log:q} 2>&1"
