"""Before the first job goes to a scheduler: what an earlier Snakemake left, what is refused."""
