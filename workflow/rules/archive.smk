rule archive:
    """Pack figures, tables, weights and source with all that made them, for a repository."""
    input:
        archived,
    output:
        zip=paths.archive(version("sparsedecay")),
        sum=f"{paths.archive(version('sparsedecay'))}.sha256",
    log:
        paths.log("archive", "archive"),
    benchmark:
        paths.benchmark("archive", "archive")
    localrule: True
    threads: 1
    params:
        config=CONFIG,
        asked=study.archive.canonical() if study.archive else "",
        source=lambda wildcards: source(PROJECT).digest,
    shell:
        "sparsedecay archive --config {params.config:q} --out {output.zip} > {log} 2>&1"
        " && cat {log}"
