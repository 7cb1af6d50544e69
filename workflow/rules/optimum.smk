rule solve:
    """Find the global optimum of a shallow problem with a proof, and a network of few neurons."""
    input:
        lambda wildcards: paths.data(proof_of(wildcards).problem.data.id),
    output:
        table=paths.optimum("{problem}", "optimum.parquet"),
        optimum=paths.optimum("{problem}", "optimum.safetensors"),
        sparsest=paths.optimum("{problem}", "sparsest.safetensors"),
    log:
        paths.log("solve", "{problem}"),
    benchmark:
        paths.benchmark("solve", "{problem}")
    threads: 1
    resources:
        **for_rule("solve"),
    params:
        problem=lambda wildcards: proof_of(wildcards).problem.canonical(),
        asked=lambda wildcards: proof_of(wildcards).options,
        code=fingerprint.code("optimum.solve"),
    shell:
        "sparsedecay optimum --problem {params.problem:q} --data {input} {params.asked}"
        " --out $(dirname {output.table}) > {log} 2>&1"


rule certify:
    """Tell how far a milestone of a shallow run is from the global optimum."""
    input:
        state=paths.state("{run}", "{epoch}"),
        optimum=lambda wildcards: paths.optimum(posed_of(run_of(wildcards)).id, "optimum.parquet"),
    output:
        paths.certificate("{run}", "{epoch}"),
    log:
        paths.log("certify", "{run}", "{epoch}"),
    benchmark:
        paths.benchmark("certify", "{run}", "{epoch}")
    threads: 1
    resources:
        **for_rule("certify"),
    params:
        code=fingerprint.code("optimum.certify"),
    shell:
        "sparsedecay certify {input.state} --optimum {input.optimum} --out {output}" " > {log} 2>&1"


rule optimum:
    """Certify shallow networks of all widths, and draw how far they are from the optimum."""
    input:
        lambda wildcards: of_section("figures.optimum", [paths.figure("optimum", "pdf")]),
