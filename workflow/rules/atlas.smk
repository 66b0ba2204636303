rule atlas:
    input:
        **inputs("atlas"),
    output:
        **outputs("atlas"),
    log:
        log_of("atlas"),
    priority: 20  # all that follows waits for it
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("atlas"),
        code=code("atlas"),
    shell:
        command("atlas")
