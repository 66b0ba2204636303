rule fisher:
    input:
        **inputs("fisher"),
    output:
        **outputs("fisher"),
    log:
        log_of("fisher"),
    priority: 10
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        model_file=model_digest,
        settings=settings("fisher"),
        code=code("fisher"),
    shell:
        command("fisher")
