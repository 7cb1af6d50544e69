rule train:
    """Train one run from its previous milestone to the next."""
    input:
        data=lambda wildcards: paths.data(run_of(wildcards).data.id),
        previous=lambda wildcards: previous_state(run_of(wildcards), int(wildcards.epoch)),
    output:
        state=paths.state("{run}", "{epoch}"),
        loss=paths.loss("{run}", "{epoch}"),
        magnitudes=paths.magnitudes("{run}", "{epoch}"),
    log:
        paths.log("train", "{run}", "{epoch}"),
    # A rule with results from a cache has no `benchmark`: the command writes that file itself.
    cache: SHARED
    # The longest chains first, so that none is left over for one core at the end.
    priority: lambda wildcards: plan.work_left(run_of(wildcards), int(wildcards.epoch))
    threads: 1
    resources:
        **asks(for_training),
    params:
        run=lambda wildcards: run_of(wildcards).canonical(),
        # A cache between folders tells results by their params, not by their wildcards.
        epoch=lambda wildcards: wildcards.epoch,
        code=lambda wildcards: fingerprint.training(run_of(wildcards)),
        previous=lambda wildcards, input: "--previous" if input.previous else "",
    # The engine and the interval of checkpoints are no params: they make no result out of date.
    shell:
        "sparsedecay train --run {params.run:q} --epoch {params.epoch}"
        " --data {input.data} {params.previous} {input.previous}"
        " --state {output.state} --loss {output.loss} --magnitudes {output.magnitudes}"
        " --checkpoint results/checkpoints/{wildcards.run}/{wildcards.epoch}.safetensors"
        " --progress results/progress/{wildcards.run}/{wildcards.epoch}.json"
        " --benchmark results/benchmarks/train/{wildcards.run}/{wildcards.epoch}.jsonl"
        " --engine {study.training.engine}"
        " --checkpoint-seconds {study.training.checkpoint_seconds}"
        " > {log} 2>&1"
