rule fit:
    input:
        **inputs("fit"),
    output:
        **outputs("fit"),
    log:
        log_of("fit"),
    priority: 10
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        model_file=model_digest,
        settings=settings("fit"),
        code=code("fit"),
    shell:
        command("fit")
