# `make demo` and `make test` are all that a newcomer needs; each installs what it needs, locked, into .venv.
# Python 3.11, 3.12 or 3.13: the first of these that works, or `make demo PYTHON=/path/to/python`.
PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
RUN := $(VENV)/bin
PIP := $(RUN)/python -m pip --disable-pip-version-check --quiet
# More than there are cores (two): half of what the tests take they wait, for services, commands and a browser.
JOBS ?= 6
# pytest with these arguments, and lint at the same time, which says what it found in one piece. What pytest says is the
# end, unless lint fails alone, without pytest's own list of failures to look for.
beside_lint = @mkdir -p var; ($(MAKE) --no-print-directory lint >var/lint.txt 2>&1; code=$$?; cat var/lint.txt; exit $$code) & lint=$$!; \
	$(RUN)/python -m pytest $(1); code=$$?; \
	wait $$lint || { echo "lint fails:"; cat var/lint.txt; code=2; }; exit $$code
# Compiled modules are kept, whatever the shell says: the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE
COMPILE = $(RUN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help install demo console test test-quick lint bench faults fuzz histories schemas lock compose-test clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(VENV)/.installed-learn ## Install the commands, locked, into .venv

demo: $(VENV)/.installed-learn ## See it work: a whole line on this machine, three checks of a wearing head
	$(RUN)/insert-worker demo
	@echo "all of it in a browser: make console"

console: $(VENV)/.installed-learn ## See in a browser what the demo left, or a line in another folder: DATA=FOLDER; PORT=…
	$(RUN)/insert-db --data $(or $(DATA),var/demo) console $(if $(PORT),--port $(PORT))

test: $(VENV)/.installed-dev ## Lint, types, import rules and the whole test suite, on real services that it starts itself
	$(call beside_lint,-n $(JOBS) --dist loadfile --no-loadscope-reorder)

# One process a core: these tests wait for nothing.
test-quick: $(VENV)/.installed-dev ## For the inner loop: lint, and the unit tests but the slow ones, in a minute or so
	$(call beside_lint,tests/unit -q -m "not slow" -n logical)

lint: $(VENV)/.installed-dev ## Style, types, import rules and known advisories alone
	@$(RUN)/mypy & types=$$!; code=0; \
	for check in "ruff check ." "ruff format --check ." lint-imports "python -m tests.audit"; do $(RUN)/$$check || code=1; done; \
	wait $$types && exit $$code

bench: $(VENV)/.installed-dev ## Measure ratios, print them and keep them in var/bench.json; NAMES="…" for some
	$(RUN)/python -m benchmarks.run $(NAMES)

faults: $(VENV)/.installed-dev ## Kill everything at random under load, and count: lost 0 (a quarter of an hour); SEED=N
	$(RUN)/python -m tests.faults.run $(if $(SEED),--seed $(SEED))

fuzz: $(VENV)/.installed-dev ## Give 100,000 broken and hostile events, messages, answers and images each to what reads them; N=…, SEED=…
	$(RUN)/python -m tests.fuzz.run $(if $(N),--inputs $(N)) $(if $(SEED),--seed $(SEED))

histories: $(VENV)/.installed-dev ## Compare all answers about a head after each step of 500 random histories; N=…
	INSERTS_TEST_HISTORIES=$(or $(N),500) $(RUN)/python -m pytest -q --timeout 0 tests/integration/db/test_head_histories.py

compose-test: $(VENV)/.installed-dev ## The containers, really run: kill, scale, upgrade, and count: lost 0 (needs an engine)
	$(RUN)/python -m tests.compose.run

schemas: $(VENV)/.installed-dev ## Write the JSON Schemas of the messages anew
	$(RUN)/insert-station schema capture > producer/contract/schemas/capture.schema.json
	$(RUN)/insert-station schema message > producer/contract/schemas/message.schema.json
	$(RUN)/insert-station schema answer > producer/contract/schemas/answer.schema.json
	$(RUN)/insert-station schema event > producer/contract/schemas/event.schema.json
	$(RUN)/insert-station schema insert-change > producer/contract/schemas/insert-change.schema.json

lock: $(VENV)/bin/python ## Resolve the dependencies anew, with hashes, for every supported Python
	$(PIP) install uv
	for extra in dev learn worker console db s3 connect station; do \
		$(COMPILE) $$([ $$extra = station ] || echo --extra $$extra) \
			$$([ $$extra = dev ] || echo --constraint locks/dev.lock) \
			pyproject.toml --output-file locks/$$extra.lock || exit 1; \
	done
	# What builds the project.
	echo setuptools | $(COMPILE) --constraint locks/dev.lock - --output-file locks/build.lock

clean: ## Remove what was installed and what the demo, tests and benchmarks left
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11, 3.12 or 3.13 is needed (TensorFlow has no others); name one with PYTHON=" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The project itself goes in without dependencies and without a build environment, so that nothing unlocked comes along.
$(VENV)/.installed-%: locks/%.lock pyproject.toml $(VENV)/bin/python
	@echo "installing the $$(grep -c '==' $<) packages of $< into $(VENV), TensorFlow among them: a minute or two the first time"
	$(PIP) install --no-compile --require-hashes -r $<
	$(PIP) install --no-deps --no-build-isolation --editable .
	@# On all cores: pip compiles on one, half a minute longer. Some packages carry files that no Python here compiles.
	@$(RUN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
	@touch $@
