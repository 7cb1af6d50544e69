rule request:
    """Write down what a figure or a table is made from: too long for a command line."""
    input:
        template=own("workflow/request.json"),
    output:
        paths.request("{request}"),
    params:
        request=lambda wildcards: sealed_request(plan.asked(wildcards.request)),
    # Rendered by Snakemake itself, so that it takes no process, and no job of a cluster.
    template_engine:
        "jinja2"
