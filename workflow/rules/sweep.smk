rule join_sweep:
    """Join one table of all runs of the sweep, a row group for each setting."""
    input:
        lambda wildcards: [
            paths.measured(run.id, epoch, wildcards.table)
            for run, epoch in plan.milestones["sweep"]
        ],
        request=paths.request("sweep"),
        summary=lambda wildcards: paths.swept("summary") if wildcards.table == "matrices" else [],
    output:
        paths.swept("{table}"),
    log:
        paths.log("sweep", "{table}"),
    benchmark:
        paths.benchmark("sweep", "{table}")
    threads: 1
    resources:
        **for_rule("measure"),
    params:
        code=fingerprint.code("measure.join"),
        summary=lambda wildcards, input: "--summary" if input.summary else "",
    shell:
        "sparsedecay join --request {input.request} --table {wildcards.table}"
        f" {{params.summary}} {{input.summary}} --out {{output}}{READ} > {{log}} 2>&1"


rule sweep:
    """Train all settings of the sweep from all its seeds, and join their tables."""
    input:
        lambda wildcards: of_section("sweep", [paths.swept(table) for table in paths.MERGED]),
