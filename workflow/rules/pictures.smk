PAGE = SOURCE / "sparsedecay/extras/explore"


rule film:
    """Show how the neurons of a figure's networks gather: trained once more, frame by frame."""
    input:
        data=lambda wildcards: of_section("figures.radon", paths.data(study.data.id)),
        request=paths.request("film"),
    output:
        paths.film(),
    log:
        paths.log("figures", "film"),
    benchmark:
        paths.benchmark("figures", "film")
    threads: 1
    resources:
        **for_rule("film"),
    params:
        code=lambda wildcards: plan.film_code,
        # It makes no film out of date, so it asks for `input` too.
        engine=lambda wildcards, input: study.training.engine,
    shell:
        f"sparsedecay film --request {{input.request}} --engine {{{ASKED}.engine}}"
        f" --out {{output}}{READ} > {{log}} 2>&1"


rule explore:
    """Put all milestones that some figure shows into one page that opens offline."""
    input:
        lambda wildcards: explored(),
        request=paths.request("explore"),
    output:
        paths.explore(),
    log:
        paths.log("figures", "explore"),
    benchmark:
        paths.benchmark("figures", "explore")
    threads: 1
    resources:
        **for_rule("explore"),
    params:
        code=fingerprint.code("extras.explore.command"),
        page=[file_digest(PAGE / name) for name in ("page.html", "page.js")],
    shell:
        f"sparsedecay explore --request {{input.request}} --out {{output}}{READ} > {{log}} 2>&1"
