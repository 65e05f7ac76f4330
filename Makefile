# The two commands: `make demo` (try it all) and `make test` (everything that must hold).
.PHONY: demo test lint check soak bench screenshots clean
BIN := .venv/bin
TESTS ?= tests/servers tests/with_sim tests/browser tests/transcripts tests/conventions tests/unit
# what waits longest comes first, so that no worker is left alone with it at the end

demo: ## install what is missing, start a seeded lab with simulated machines, print the address
	@tools/install-missing demo
	@$(BIN)/fabctl demo $(ARGS)

test: ## install what is missing, then lint, types, import contracts and every test
	@tools/install-missing test
	@$(MAKE) --no-print-directory lint check

lint:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

check:
	$(BIN)/pytest -n 5 --dist loadfile --no-loadscope-reorder $(TESTS)

soak: ## random jobs over bad cables, then random days of an interlock, each for SOAK_MINUTES (60)
	@tools/install-missing test
	SOAK_MINUTES=$${SOAK_MINUTES:-60} $(BIN)/pytest -s -q tests/unit/test_marlin_anything.py \
		tests/unit/test_grbl_anything.py \
		tests/unit/test_interlock_property.py

bench: ## figures, with the aims beside them; never part of the tests
	@tools/install-missing test
	$(BIN)/python -m tests.bench $(ARGS)

screenshots: ## every page, in three sizes and both languages, for eyes; into FOLDER, of AREAS
	@tools/install-missing test
	$(BIN)/python -m tools.screenshots $(or $(FOLDER),screenshots) $(AREAS)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-data screenshots
