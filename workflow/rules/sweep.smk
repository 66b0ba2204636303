rule sweep:
    input:
        **inputs("sweep"),
    output:
        **outputs("sweep"),
    log:
        log_of("sweep"),
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        model_file=model_digest,
        settings=settings("sweep"),
        code=code("sweep"),
    shell:
        command("sweep")
