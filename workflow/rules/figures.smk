def draw(kind):
    """The rule of one kind of figures. A function, for Snakemake asks for the command later."""
    stage = f"figures_{kind}"

    rule:
        name:
            stage
        input:
            **inputs(stage),
        output:
            **reported(stage),
        log:
            log_of(stage),
        priority: 20 if kind == "trust" else 0
        conda:
            ENVIRONMENT
        threads: 1
        params:
            settings=settings(stage),
            code=code("figures"),
        shell:
            command(stage)


for kind in flow.figure_kinds():
    draw(kind)
