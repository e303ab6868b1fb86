# Two commands matter: `make run` and `make test`. Both bring a fresh machine to what they need.
.PHONY: run test check audit sbom bench load soak clients docs guide serve setup setup-tests lock clean

# The first Python that runs and is new enough; a name on the path may be a shim of a version manager that does not.
NEW_ENOUGH = import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(or $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c "$(NEW_ENOUGH)" 2>/dev/null && echo $$p && break; done),python3)
BOOTSTRAP = $(PYTHON) -m twin.bootstrap $(if $(TWIN_DATABASE_URL),--external-database)
BIN = .venv/bin

setup:
	@$(BOOTSTRAP)

setup-tests:
	@$(BOOTSTRAP) --tests

run: setup
	@exec $(BIN)/twin up

serve: setup
	@exec $(BIN)/twin serve

test: setup-tests
	@$(BIN)/pytest -n auto --dist loadscope --no-loadscope-reorder $(ARGS)

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy -n auto
	@$(BIN)/lint-imports
	@$(BIN)/python -m twin.bootstrap --check-viewer
	@$(BIN)/python -m supply licences
	@$(BIN)/python -m supply audit --lenient

# Known weaknesses of what is shipped; fails also where the advisory services cannot be reached.
audit: setup
	@$(BIN)/python -m supply audit

# Bills of materials in sbom/, CycloneDX.
sbom: setup
	@$(BIN)/python -m supply sbom

bench: setup
	@$(BIN)/python -m bench $(ARGS)

load: setup
	@$(BIN)/python -m bench load $(ARGS)

# Half an hour of load while parts of the twin are killed and restarted; SECONDS=120 for a look.
soak: setup
	@$(BIN)/python -m bench.soak $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

clients: setup-tests
	@$(BIN)/python -m tests.clients $(ARGS)

docs: setup
	@$(BIN)/python -m docs

guide: setup
	@$(BIN)/python -m docs.guide_pictures

lock:
	@uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements.lock

clean:
	@-$(BIN)/twin db stop
	@rm -rf .run web/dist data/processed/runs
