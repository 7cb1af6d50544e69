# The paper's figures, from data to picture:   snakemake            all of them
#                                              snakemake figures/fig4.pdf
# Another experiment:                          snakemake --configfile config/mine.yaml
from snakemake.utils import min_version

min_version("9.0")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/requests.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/pictures.smk"
include: "workflow/rules/optimum.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/search.smk"
include: "workflow/rules/sweep.smk"
include: "workflow/rules/archive.smk"


rule all:
    """Make every figure of the config, and the tables of all its runs."""
    default_target: True
    input:
        figures=expand("figures/{figure}.pdf", figure=study.figures.names),
        tables=[paths.merged(table) for table in paths.MERGED] if study.shown else [],


onstart:
    before_jobs()


onsuccess:
    tidy(Path(RESULTS, "checkpoints"))


onerror:
    tidy(Path(RESULTS, "checkpoints"))
