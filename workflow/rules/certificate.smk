rule certificate:
    input:
        **inputs("certificate"),
    output:
        **outputs("certificate"),
    log:
        log_of("certificate"),
    priority: 10
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        model_file=model_digest,
        settings=settings("certificate"),
        code=code("certificate"),
    shell:
        command("certificate")
