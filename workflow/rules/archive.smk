PROJECT = Path(os.path.relpath(workflow.basedir))
CONFIG = os.path.relpath((workflow.configfiles or [PROJECT / "config/config.yaml"])[0])


def archived(wildcards):
    """The files that the targets of the archive make."""
    if len(workflow.configfiles) > 1 or workflow.config_settings.config:
        logger.error(
            "An archive holds the results of one config file: write the values of several files, "
            "or of --config, into one below config/."
        )
        sys.exit(1)
    section = of_section("archive", study.archive)
    try:
        config_in(source(PROJECT), Path(CONFIG), study)
    except UserError as error:
        logger.error(str(error))
        sys.exit(1)
    return [file for target in section.targets for file in wanted(plan, target)]


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
