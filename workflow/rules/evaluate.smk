rule evaluate:
    input:
        reference="<results>/reference/{model}.nc",
        gradients=gradient_files,
    output:
        "<results>/evaluate/{model}.parquet",
    log:
        "<logs>/evaluate/{model}.log",
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("evaluate"),
        code=code("evaluate"),
    shell:
        "gradaudit evaluate --reference {input.reference:q} --gradients {input.gradients:q}"
        " --settings {params.settings:q} --output {output:q} > {log:q} 2>&1"
