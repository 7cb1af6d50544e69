rule data:
    """Draw one data set: the grid and its random targets."""
    output:
        paths.data("{data}"),
    log:
        paths.log("data", "{data}"),
    cache: SHARED
    threads: 1
    resources:
        **for_rule("data"),
    params:
        data=lambda wildcards: plan.data_sets[wildcards.data].canonical(),
        code=lambda wildcards: fingerprint.data(plan.data_sets[wildcards.data]),
    shell:
        "sparsedecay data --data {params.data:q} --out {output}"
        " --benchmark results/benchmarks/data/{wildcards.data}.jsonl > {log} 2>&1"
