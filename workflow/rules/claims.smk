rule statements:
    """Test the paper's statements on all seeds (claims), in all readings (readings), in a search."""
    input:
        lambda wildcards: tables_read(tested(wildcards.statements)),
        request=paths.request("statements/{statements}"),
        kept=lambda wildcards: paths.KEPT if wildcards.statements == "search" else [],
    output:
        paths.statements("{statements}"),
    log:
        paths.log("claims", "{statements}"),
    benchmark:
        paths.benchmark("claims", "{statements}")
    threads: 1
    resources:
        **for_rule("claims"),
    params:
        code=fingerprint.code("claims.rows"),
        kept=lambda wildcards, input: "--kept" if input.kept else "",
    shell:
        "sparsedecay claims --request {input.request} {params.kept} {input.kept} --out {output}"
        f"{READ} > {{log}} 2>&1"


rule findings:
    """Tell in words what replicates, what does not, and what must have been different."""
    input:
        claims=paths.statements("claims"),
        readings=paths.statements("readings"),
    output:
        markdown="results/claims/findings.md",
        verdict="results/claims/verdict.html",
        page=report(
            "results/claims/findings.html",
            category="Verdict",
            labels={"shows": "does it replicate?"},
            caption="../report/findings.rst",
        ),
        method=report(
            "results/claims/method.html",
            category="Verdict",
            labels={"shows": "how it was tested"},
            caption="../report/method.rst",
        ),
    log:
        paths.log("claims", "findings"),
    benchmark:
        paths.benchmark("claims", "findings")
    threads: 1
    resources:
        **for_rule("claims"),
    params:
        config=plan.about,
        code=fingerprint.code("claims.findings"),
    shell:
        "sparsedecay findings --claims {input.claims} --readings {input.readings}"
        f" --config {{params.config:q}} --out {RESULTS}/claims{READ} > {{log}} 2>&1"


rule replicate:
    """Train all seeds; figures with their spread, and a verdict on each statement of the paper."""
    input:
        lambda wildcards: [
            paths.figure(name, "pdf") for name in of_section("claims", plan.replicated)
        ],


rule readings:
    """Train every reading of the paper's text, compare them statement by statement, and sum up."""
    input:
        lambda wildcards: of_section(
            "claims", [paths.figure("readings", "pdf"), "results/claims/findings.md"]
        ),
