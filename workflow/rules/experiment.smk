rule experiment:
    input:
        **inputs("experiment"),
    output:
        **outputs("experiment"),
    log:
        log_of("experiment"),
    priority: 10
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        model_file=model_digest,
        settings=settings("experiment"),
        code=code("experiment"),
    shell:
        command("experiment")
