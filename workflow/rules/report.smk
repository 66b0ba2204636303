rule report:
    input:
        **inputs("report"),
    output:
        **outputs("report"),
    log:
        log_of("report"),
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("report"),
        code=code("report"),
        logs=f"{STUDY.results}/logs",
    shell:
        command("report")
