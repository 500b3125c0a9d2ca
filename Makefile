# `make help` lists the targets. Everything that is written lies below .build/ and dist/.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
SCENARIO ?=
DEPLOYMENT ?=
ARGS ?=
STACK ?=
VARS ?=
SERVICE ?=
RUN ?=
# RUN as it was typed: its $$PORT is for the shell that runs it.
of_stack = $(if $(VARS),--vars "$(VARS)") $(if $(SERVICE),--service "$(SERVICE)") $(if $(RUN),--run '$(value RUN)')

venv := .build/venv/bin/python
# A file's tests stay in one worker, and the files in their order: the rehearsals, which mostly wait, come first. So there
# is a worker more than cores.
workers := -n $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1))) --dist loadfile --no-loadscope-reorder
sources := lambdas rehearsal tests tools

.PHONY: help setup rehearse explain scenarios unit test prove mutants bench check fmt fmt-check lint types options check-options package check-package docs check-docs clean venv runtime runtimes prove-tools dev

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: dev runtime ## Install everything that the other targets need, below .build/

rehearse: venv runtime ## Play a whole deployment on this machine; SCENARIO=name plays another than the healthy one, PLATFORM=ecs lets ECS itself deploy, STACK=path plays those of a Terraform stack of your own
	@$(venv) -m $(if $(STACK),rehearsal.stacks "$(STACK)" $(of_stack),rehearsal play --platform $(or $(PLATFORM),codedeploy) $(SCENARIO)) $(ARGS)

explain: venv ## Tell how a real deployment went: DEPLOYMENT=d-…, the ARN of a service deployment, or cluster/service
	@$(venv) tools/explain.py $(if $(DEPLOYMENT),"$(DEPLOYMENT)",$(error DEPLOYMENT is missing: make explain DEPLOYMENT=d-ABCDEFGHI)) $(ARGS)

scenarios: venv ## List the scenarios of the rehearsal
	@$(venv) -m rehearsal scenarios --platform $(or $(PLATFORM),codedeploy)

unit: dev ## The inner loop: tests of every room, and the first cases of each handler
	@$(venv) -m pytest tests/unit -m "not thorough" $(workers) -q $(ARGS)

# All tests, a worker for each core; of a few the workers' start would be the longer part.
test: dev runtime ## Run all tests; ARGS="tests/unit -k name" runs some
	@$(venv) -m pytest $(if $(ARGS),$(ARGS),tests --ignore=tests/proof $(workers)) -q --durations=10

prove: dev runtime runtimes prove-tools ## Run the suites of proof: faults, bad input, secrets, permissions, runtimes
	@$(if $(ARGS),,$(venv) -m pytest tests/proof/matrix -n auto --dist worksteal -q)
	@$(venv) -m pytest $(if $(ARGS),$(ARGS),tests/proof --ignore=tests/proof/matrix) -q

mutants: ## Change lambdas/ in small ways and see whether the tests notice; ARGS="--sample 50 --only gate/runner.py"
	@$(PYTHON) tools/environments.py mutants tools/mutants.txt
	@.build/mutants/bin/python tools/mutants.py $(ARGS)

bench: dev runtime ## Measure a plan beside a plain one, what the hooks cost, and the load beside hey (needs nginx and hey)
	@$(venv) tools/bench_plan.py
	@$(venv) tools/bench_cost.py
	@$(venv) tools/bench_load.py

check: fmt-check lint types check-options check-package check-docs test ## Run everything that CI runs: format, lint, types, options, packages, docs, tests

fmt: dev ## Format Python and Terraform
	@$(venv) -m ruff format $(sources)
	@$(venv) -m ruff check --fix --select I --quiet $(sources)
	@$(venv) tools/terraform.py fmt -recursive

fmt-check: dev
	@$(venv) -m ruff format --check $(sources)
	@$(venv) tools/terraform.py fmt -recursive -check -diff

lint: dev ## Lint Python
	@$(venv) -m ruff check $(sources)

types: dev ## Check the types, strictly
	@$(venv) -m mypy

options: venv ## Write modules/options/, the hooks' variables and docs/options.md from lambdas/gate/options/
	@$(venv) tools/options.py write
	@$(venv) tools/docs.py write

check-options: venv
	@$(venv) tools/options.py check

package: venv ## Build dist/ from lambdas/: the five functions and their layer
	@$(venv) tools/package.py build

check-package: venv ## Prove that dist/ is, byte for byte, what lambdas/ builds
	@$(venv) tools/package.py check

docs: venv ## Write what is generated in README.md and docs/: inputs, outputs, options, checks, policies
	@$(venv) tools/docs.py write
	@$(venv) tools/permissions.py write

check-docs: venv
	@$(venv) tools/docs.py check
	@$(venv) tools/permissions.py check

clean: ## Remove everything below .build/
	rm -rf .build

# An environment is installed again when the content of its requirement files changes.
venv:
	@$(PYTHON) tools/environments.py venv rehearsal/requirements.txt

dev:
	@$(PYTHON) tools/environments.py venv tests/requirements.txt

runtime:
	@$(PYTHON) tools/environments.py runtime rehearsal/runtime/requirements.txt

# One for each Python that is here with the newest boto3, and two with old ones.
runtimes:
	@for file in tests/proof/runtimes/*.txt; do \
	  name=$$(basename $$file .txt); version=$${name%-*}; \
	  $(PYTHON) tools/environments.py --python $${version#python} $$name $$file || exit 1; \
	done

prove-tools:
	@$(PYTHON) tools/environments.py prove tests/proof/requirements.txt
