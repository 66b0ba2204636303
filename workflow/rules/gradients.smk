rule gradients:
    input:
        **inputs("gradients"),
    output:
        **outputs("gradients"),
    log:
        log_of("gradients"),
    priority: 10
    conda:
        ENVIRONMENT
    threads: 1
    params:
        model=model_spec,
        model_file=model_digest,
        settings=settings("gradients"),
        code=code("gradients"),
    shell:
        command("gradients")
