"""Where the files of the project lie that are no code: rules, profiles, configs, captions.

In a clone they lie beside `src`; in a package that was installed from a wheel, within it. A
Snakefile that includes the rules of whatever is installed:

    from sparsedecay.files.project import SNAKEFILE
    include: SNAKEFILE
"""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
CARRIED = PACKAGE / "workflow_files"
"""Put there by setup.py when a wheel is built."""
CLONE = not CARRIED.is_dir()
PROJECT = PACKAGE.parents[1] if CLONE else CARRIED
SNAKEFILE = str(PROJECT / "Snakefile")
