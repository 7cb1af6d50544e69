rule data:
    """Make one data set: drawn, or read from a file."""
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
        # Its content is part of the data set's name; where it lies is not, and Snakemake compares
        # no parameter that asks for `input`.
        file=lambda wildcards, input: getattr(plan.data_sets[wildcards.data], "file", ""),
    shell:
        "sparsedecay data --data {params.data:q} --file={params.file:q} --out {output}"
        f" --benchmark {RESULTS}/benchmarks/data/{{wildcards.data}}.jsonl > {{log}} 2>&1"


rule diabetes:
    """Write scikit-learn's diabetes data as a table, for config/diabetes.yaml."""
    output:
        Path("config/diabetes.csv") if GUEST else PROJECT / "config/diabetes.csv",
    localrule: True
    script:
        "../scripts/diabetes.py"
