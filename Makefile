# The two commands: `make demo` (try it all) and `make test` (everything that must hold).
.PHONY: demo test lint tidy types check warm soak bench looks screenshots pictures docs clean
export PYTHONDONTWRITEBYTECODE :=
# what is compiled once is not compiled again by every worker and every process that a test starts
BIN := .venv/bin
TESTS ?= tests/with_sim tests/servers tests/browser tests/transcripts tests/conventions tests/unit
# tests/conftest.py mixes them, so that the cores are neither idle nor fought for

demo: ## install what is missing, start a seeded lab with simulated machines, print the address
	@tools/install-missing demo
	@$(BIN)/fabctl demo $(ARGS)

test: ## install what is missing, then lint, types, import contracts and every test
	@tools/install-missing test
	@$(MAKE) --no-print-directory --jobs 2 --output-sync tidy warm
	@$(MAKE) --no-print-directory --jobs 2 types check # the types while the first tests wait

lint: tidy types ## style, import contracts and types

tidy:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types:
	$(BIN)/mypy

warm: # compiles what a test needs while the types are checked; what is wrong is told by `check`
	-@$(BIN)/pytest --collect-only -qq $(TESTS) > /dev/null

check: # more workers than cores: most of the time is waiting
	$(BIN)/pytest -n 8 --dist loadfile --no-loadscope-reorder $(TESTS)

soak: ## a week of a lab (SOAK_HOURS, 168), random jobs, interlocks and cut cables (SOAK_MINUTES each, 60), 1800 power cuts, full disks on ext4
	@tools/install-missing test
	SOAK_HOURS=$${SOAK_HOURS:-168} $(BIN)/pytest -s -q tests/servers/test_soak_week.py
	SOAK_MINUTES=$${SOAK_MINUTES:-60} $(BIN)/pytest -s -q tests/unit/test_marlin_anything.py \
		tests/unit/test_grbl_anything.py \
		tests/unit/test_interlock_property.py
	SOAK_MINUTES=$${SOAK_MINUTES:-60} $(BIN)/pytest -s -q tests/servers/test_three_hosts.py -k any_cable
	POWER_CUTS_TIMES=$${POWER_CUTS_TIMES:-11} $(BIN)/pytest -s -q tests/servers/test_power_cuts.py \
		tests/servers/test_power_cuts_of_jobs.py
	SMALL_DISK=ext4 $(BIN)/pytest -q tests/servers/test_full_disk.py tests/servers/test_full_disk_commands.py \
		tests/servers/test_full_disk_machines.py tests/servers/test_full_disk_joining.py \
		tests/servers/store/test_store_full_disk.py

bench: ## figures, with the aims beside them; never part of the tests
	@tools/install-missing test
	$(BIN)/python -m tests.bench $(ARGS)

looks: ## every page in every size, light and dark, both languages, with all of axe's rules
	@tools/install-missing test
	EVERY_LOOK=1 $(BIN)/pytest -q -n 2 tests/browser/test_screens.py

screenshots: ## every page, in three sizes and both languages, for eyes; into FOLDER, of AREAS
	@tools/install-missing test
	$(BIN)/python -m tools.screenshots $(or $(FOLDER),screenshots) $(AREAS)

pictures: ## the few pages that the documents show, taken anew, small, into docs/images
	@tools/install-missing test
	$(BIN)/python -m tools.screenshots --documents

docs: ## the documents as a site, in site/; a link that leads nowhere, or a page outside the navigation, fails
	@tools/install-missing docs
	$(BIN)/python -m tools.reference
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --fresh-env --quiet \
		-c docs -d .doctrees . site
	@echo "open site/index.html"

clean:
	rm -rf .venv .doctrees site .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-data screenshots
