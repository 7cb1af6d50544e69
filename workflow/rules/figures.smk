rule figure:
    """Render one figure of the paper as PDF, PNG and SVG, with a sidecar that tells what made it."""
    input:
        lambda wildcards: or_end(plan.request, wildcards.figure).files,
        request=paths.request("figures/{figure}"),
    output:
        pdf=paths.figure("{figure}", "pdf"),
        # Not the PDF: not every browser shows one inside a page.
        png=report(
            "figures/{figure}.png",
            category=lambda wildcards: plan.category(wildcards.figure),
            labels={"shows": "{figure}"},
            caption="../report/figure.rst",
        ),
        svg="figures/{figure}.svg",
        sidecar="figures/{figure}.json",
    log:
        paths.log("figures", "{figure}"),
    benchmark:
        paths.benchmark("figures", "{figure}")
    threads: 1
    resources:
        **asks(for_figure),
    params:
        code=lambda wildcards: plan.request(wildcards.figure).code,
        # Snakemake compares no parameter that asks for `input`: new words render no figure anew.
        caption=lambda wildcards, input: plan.caption(wildcards.figure),
    shell:
        f"sparsedecay figure --request {{input.request}} --out {FIGURES}{READ} > {{log}} 2>&1"
