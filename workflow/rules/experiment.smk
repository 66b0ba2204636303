rule experiment:
    input:
        model=model_file,
    output:
        table="<results>/experiment/{model}.parquet",
        traces="<results>/experiment/{model}.nc",
    log:
        "<logs>/experiment/{model}.log",
    priority: 10
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        settings=settings("experiment"),
        code=code("experiment"),
    shell:
        "gradaudit experiment {params.model:q} --settings {params.settings:q}"
        " --output {output.table:q} --traces {output.traces:q} > {log:q} 2>&1"
