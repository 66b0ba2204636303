rule reference:
    input:
        **inputs("reference"),
    output:
        **outputs("reference"),
    log:
        log_of("reference"),
    priority: 10
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        model_file=model_digest,
        settings=settings("reference"),
        code=code("reference"),
    shell:
        command("reference")
