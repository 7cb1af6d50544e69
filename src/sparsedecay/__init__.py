"""sparsedecay: does weight decay make overparameterized ReLU networks sparse and low-rank?

Each stage of the pipeline is a module of its own: `runs` and `study` (what to run), `data`,
`train`, `measure`, `figures`. This file imports none of them, so that a stage depends on its own
code alone.
"""
