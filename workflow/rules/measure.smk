rule measure:
    """Measure one milestone: sparsity, spectra, ranks, active neurons, losses."""
    input:
        data=lambda wildcards: paths.data(run_of(wildcards).data.id),
        state=paths.state("{run}", "{epoch}"),
        loss=paths.loss("{run}", "{epoch}"),
        magnitudes=paths.magnitudes("{run}", "{epoch}"),
    output:
        [paths.measured("{run}", "{epoch}", table) for table in paths.TABLES],
    log:
        paths.log("measure", "{run}", "{epoch}"),
    benchmark:
        paths.benchmark("measure", "{run}", "{epoch}")
    threads: 1
    resources:
        **asks(lambda wildcards, attempt: needs.measure(run_of(wildcards), attempt)),
    params:
        run=lambda wildcards: run_of(wildcards).canonical(),
        measures=study.measures.canonical(),
        code=lambda wildcards: fingerprint.measuring(run_of(wildcards)),
    shell:
        "sparsedecay measure --run {params.run:q} --epoch {wildcards.epoch}"
        " --measures {params.measures:q} --data {input.data} --state {input.state}"
        " --loss {input.loss} --magnitudes {input.magnitudes}"
        f" --out {RESULTS}/measure/{{wildcards.run}}/{{wildcards.epoch}} > {{log}} 2>&1"


rule join:
    """Join one table of all milestones that some figure shows."""
    input:
        [paths.measured(run.id, epoch, "{table}") for run, epoch in study.shown],
    output:
        paths.merged("{table}"),
    log:
        paths.log("measure", "{table}"),
    benchmark:
        paths.benchmark("measure", "{table}")
    threads: 1
    resources:
        **for_rule("measure"),
    params:
        code=fingerprint.code("measure.join"),
    shell:
        "sparsedecay join --out {output} {input} > {log} 2>&1"
