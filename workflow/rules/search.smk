checkpoint keep:
    """Choose the readings that come closest to the paper after the screen."""
    input:
        paths.statements("screen"),
    output:
        paths.KEPT,
    log:
        paths.log("claims", "kept"),
    benchmark:
        paths.benchmark("claims", "kept")
    threads: 1
    resources:
        **for_rule("claims"),
    params:
        keep=study.claims.search.keep if study.claims and study.claims.search else 0,
        code=fingerprint.code("claims.search"),
    shell:
        "sparsedecay search --screen {input} --keep {params.keep} --out {output} > {log} 2>&1"


rule ranking:
    """Rank the readings and their combinations by how far they are from what the paper reports."""
    input:
        screen=paths.statements("screen"),
        search=paths.statements("search"),
    output:
        "results/claims/search.md",
    log:
        paths.log("claims", "ranking"),
    benchmark:
        paths.benchmark("claims", "ranking")
    threads: 1
    resources:
        **for_rule("claims"),
    params:
        code=fingerprint.code("claims.search"),
    shell:
        "sparsedecay search --screen {input.screen} --search {input.search} --out {output}"
        " > {log} 2>&1"


rule search:
    """Screen readings and their combinations, train all networks of the closest, and rank them."""
    input:
        lambda wildcards: of_section("search", ["results/claims/search.md"]),
