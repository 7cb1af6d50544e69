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
        **device(),
    params:
        run=lambda wildcards: run_of(wildcards).canonical(),
        # A cache between folders tells results by their params, not by their wildcards.
        epoch=lambda wildcards: wildcards.epoch,
        code=lambda wildcards: fingerprint.training(run_of(wildcards)),
        previous=lambda wildcards, input: "--previous" if input.previous else "",
        # These three make no result out of date, so they ask for `input` too.
        engine=lambda wildcards, input: study.training.engine,
        device=lambda wildcards, input: study.training.device,
        checkpoint_seconds=lambda wildcards, input: study.training.checkpoint_seconds,
    shell:
        "sparsedecay train --run {params.run:q} --epoch {params.epoch}"
        " --data {input.data} {params.previous} {input.previous}"
        " --state {output.state} --loss {output.loss} --magnitudes {output.magnitudes}"
        f" --checkpoint {RESULTS}/checkpoints/{{wildcards.run}}/{{wildcards.epoch}}.safetensors"
        f" --progress {RESULTS}/progress/{{wildcards.run}}/{{wildcards.epoch}}.json"
        f" --benchmark {RESULTS}/benchmarks/train/{{wildcards.run}}/{{wildcards.epoch}}.jsonl"
        f" --engine {{{ASKED}.engine}} --device {{{ASKED}.device}}"
        f" --checkpoint-seconds {{{ASKED}.checkpoint_seconds}}"
        f" --listed {LISTED} --memory-mb {{resources.mem_mb}}"
        " > {log} 2>&1"
