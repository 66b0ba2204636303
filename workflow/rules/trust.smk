rule trust:
    input:
        **inputs("trust"),
    output:
        **outputs("trust"),
    log:
        log_of("trust"),
    priority: 20
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("trust"),
        code=code("trust"),
    shell:
        command("trust")
