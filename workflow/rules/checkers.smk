rule checkers:
    input:
        **inputs("checkers"),
    output:
        **outputs("checkers"),
    log:
        log_of("checkers"),
    priority: 10
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        model_file=model_digest,
        settings=settings("checkers"),
        code=code("checkers"),
    shell:
        command("checkers")
