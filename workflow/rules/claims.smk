rule statements:
    """Test the paper's statements on all seeds (claims), or in all readings of its text (readings)."""
    input:
        lambda wildcards: tables_read(plan.statements(wildcards.statements)),
    output:
        paths.statements("{statements}"),
    log:
        paths.log("claims", "{statements}"),
    benchmark:
        paths.benchmark("claims", "{statements}")
    threads: 1
    params:
        request=lambda wildcards: plan.statements(wildcards.statements).canonical(),
        code=code("sparsedecay.claims.command"),
    shell:
        "sparsedecay claims --request {params.request:q} --out {output} > {log} 2>&1"


rule replicate:
    """Train all seeds; figures with their spread, and a verdict on each statement of the paper."""
    input:
        lambda wildcards: [paths.figure(name, "pdf") for name in of_claims(plan.replicated)],


rule readings:
    """Train every reading of the paper's text, and compare them statement by statement."""
    input:
        lambda wildcards: of_claims([paths.figure("readings", "pdf")]),
