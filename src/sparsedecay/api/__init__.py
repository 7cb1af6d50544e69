"""What `import sparsedecay as sd` offers: the same runs, tables and figures as the pipeline's.

Each module holds one thing that people name; the root of the package looks them up when they are
asked for, so that importing it costs nothing and no stage depends on them.
"""
