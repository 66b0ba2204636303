rule simulate:
    input:
        **inputs("simulate"),
    output:
        **outputs("simulate"),
    log:
        log_of("simulate"),
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        model_file=model_digest,
        settings=settings("simulate"),
        code=code("simulate"),
    shell:
        command("simulate")
