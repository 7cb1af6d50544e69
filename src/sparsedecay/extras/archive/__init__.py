"""The archived reproducibility package: packing, opening, verifying, and results taken from one."""
