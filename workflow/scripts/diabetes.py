"""Writes scikit-learn's diabetes data (Efron et al. 2004) as the table of config/diabetes.yaml."""

from sklearn.datasets import load_diabetes

snakemake: "Snakemake"  # noqa: F821 - set by Snakemake

load_diabetes(as_frame=True, scaled=False).frame.to_csv(snakemake.output[0], index=False)  # noqa: F821
