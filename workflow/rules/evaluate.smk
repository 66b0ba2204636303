rule evaluate:
    input:
        **inputs("evaluate"),
    output:
        **outputs("evaluate"),
    log:
        log_of("evaluate"),
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("evaluate"),
        code=code("evaluate"),
    shell:
        command("evaluate")
