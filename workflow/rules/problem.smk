rule problem:
    input:
        **inputs("problem"),
    output:
        **outputs("problem"),
    log:
        log_of("problem"),
    priority: 10
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        model_file=model_digest,
        settings=settings("problem"),
        code=code("problem"),
    shell:
        command("problem")
