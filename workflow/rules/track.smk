# One job for all models: only one process may create a store. The store is an output so that one
# that was deleted is built again; `update` keeps it, and the runs in it, before a rerun.
rule track:
    input:
        **inputs("track"),
    output:
        **outputs("track"),
        **{name: update(path) for name, path in STORE.items()},
    log:
        log_of("track"),
    priority: 20  # the longest of the last jobs
    conda:
        ENVIRONMENT
    threads: 1
    params:
        settings=settings("track"),
        code=code("track"),
    shell:
        command("track")
