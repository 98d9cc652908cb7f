PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# `make demo PORT=9090`, where 8080 is taken.
ON_PORT = $(if $(PORT),--port $(PORT))

# Compiled once and kept, whatever the shell says: else every command that a test starts compiles all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-ceph test drills newest check plant bench serve migrate docs messages schema pictures sbom clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready  ## Create .venv with all dependencies, from the lock files

# uv comes first, by pip, in the version that the lock file names; from then on it keeps the environment exactly as locked.
$(VENV)/.ready: pyproject.toml uv.lock package-lock.json hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tonnage needs Python 3.11 or newer; choose one with: make setup PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python lacks the venv module; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$$(awk '/^name = "uv"/ {getline; gsub(/[^0-9.]/, ""); print; exit}' uv.lock)"
	$(BIN)/uv sync --frozen --quiet
	@touch $@

demo: setup  ## Run Tonnage with sample data on the embedded database; PORT=9090 uses another port
	$(BIN)/tonnage serve --demo --data-dir data/demo $(ON_PORT)

demo-ceph: setup  ## The same, with a temporary Ceph gateway
	$(BIN)/python -m testbed.demo $(ON_PORT)

test: setup  ## Run the tests; OPTIONS are pytest's
	$(BIN)/pytest -n 2 $(OPTIONS)

drills: setup  ## Kill, freeze and cut off a database cluster under load (under 30 minutes); print what was measured
	$(BIN)/pytest -n 0 -m drill tests/operate

# The lock file and our upper bounds are left out, whatever the libraries say of each other holds. .venv is not touched.
NEWEST := .venv-newest

newest: setup  ## Run the tests on the newest versions of all libraries, in .venv-newest
	$(PYTHON) -m venv --clear $(NEWEST)
	$(BIN)/python -m tests.newest >$(NEWEST)/requirements.txt
	$(BIN)/uv pip install --quiet --python $(NEWEST)/bin/python --upgrade --requirements $(NEWEST)/requirements.txt
	$(BIN)/uv pip install --quiet --python $(NEWEST)/bin/python --no-deps --editable .
	@echo "Locked (<) and newest (>) versions that differ:"
	@for of in $(VENV) $(NEWEST); do $(BIN)/uv pip freeze --quiet --exclude-editable --python $$of/bin/python >$(NEWEST)/$${of#.}.txt; done
	@diff $(NEWEST)/venv.txt $(NEWEST)/venv-newest.txt || true
	$(NEWEST)/bin/pytest -n 2

check: setup  ## Check formatting, lint, types, architecture and documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n 0 tests/house tests/test_house.py
	$(BIN)/python -m tests.documents
	$(BIN)/python -m tests.messages
	$(BIN)/python -m tests.lint_documents

plant: setup  ## Break every checked rule in a copy, and verify that each is reported
	$(BIN)/python -m tests.plant

bench: setup  ## Run the benchmarks (under ten minutes) and rewrite docs/benchmarks.md
	$(BIN)/python -m bench

serve: setup  ## Run Tonnage on TONNAGE_DATABASE_URL or the embedded database
	$(BIN)/tonnage serve

migrate: setup  ## Upgrade the database of TONNAGE_DATABASE_URL to this version
	$(BIN)/tonnage migrate

docs: setup  ## Rewrite the generated parts of the documentation
	$(BIN)/python -m tests.documents --write

# The guides' pictures are those of the browser tests, which visit every page.
PICTURES = distributor-partners distributor-partners-one-allocation partner-accounts partner-accounts-one-settings \
	operator operator-regions operator-contracts-one keys sign-in

pictures: setup  ## Take screenshots of every page into data/pictures, and update those of the guides
	TONNAGE_PICTURES=data/pictures $(BIN)/pytest -q tests/browser/test_pages.py
	@mkdir -p docs/console/pictures
	@for name in $(PICTURES); do cp data/pictures/$$name-1440-light.png docs/console/pictures/$$name.png; done

messages: setup  ## Collect the texts for translators in console.pot
	$(BIN)/python -m tests.messages --write

schema: setup  ## Rewrite schema.sql, the complete schema after all revisions
	$(BIN)/python -m tests.schema --write

sbom: setup  ## Write dist/sbom.cdx.json (CycloneDX) and dist/licences.csv: what a release consists of
	$(BIN)/python -m tests.sbom dist

clean:  ## Remove everything that the targets above have created
	rm -rf $(VENV) $(NEWEST) node_modules dist data src/tonnage/web/swagger_ui/assets src/tonnage/console/vendor .pytest_cache .ruff_cache .hypothesis .import_linter_cache
