# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The first Python that the ansible-core in pyproject.toml supports and that can create environments: the system's if it
# has one, since that is compiled with optimizations. It is started, because a pyenv shim may be broken.
PYTHON ?= $(shell for version in 3.11 3.12 3.13; do for search in -pv -v; do \
  python=$$(command $$search python$$version) && "$$python" -c 'import ensurepip' && echo "$$python" && exit; \
  done; done 2>/dev/null)
BUILD := build
VENV := $(BUILD)/venv
PEERS := $(BUILD)/benchmark/peers
AWX := $(BUILD)/awx
CONTRACT := $(BUILD)/contract
COLLECTION := $(BUILD)/collections/ansible_collections/azureml/arc

# All downloads and all other files are written below build/.
export PIP_CACHE_DIR := $(CURDIR)/$(BUILD)/pip-cache
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(BUILD)/pycache
# Containers often set it. Then each of the thousands of processes of the tests would compile its imports again.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Python compiles what it imports. To compile all files of a package takes half of the time of its installation.
export PIP_COMPILE := 0
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

# The folder of the Kubernetes control plane. It is not below build/, because it takes minutes to build.
export KUBEBUILDER_ASSETS ?= $(HOME)/.cache/azureml.arc/control-plane

# Environments are set up at the same time.
MAKEFLAGS += --jobs=2

.PHONY: help demo simulator test test-versions test-prereleases picture docs audit bench control-plane clean

help:
	@echo "make demo              deploy four simulated clusters, one of which fails, deploy again, and verify"
	@echo "make simulator         simulate Azure and four clusters until Ctrl-C, to try playbooks"
	@echo "make test              run all checks (20 minutes); on Debian, with root or sudo, installs their requirements"
	@echo "make test-versions     run the tests with all supported versions of ansible-core and the libraries (hours)"
	@echo "make test-prereleases  run the tests that depend on versions with pre-releases of ansible-core and the libraries"
	@echo "make docs              build the documentation site in $(BUILD)/docs/html"
	@echo "make picture           write the output of 'make demo' to docs/demo.svg"
	@echo "make audit             list known vulnerabilities of the libraries (needs the internet)"
	@echo "make control-plane     build a Kubernetes control plane for 'make test' (Debian 12, some minutes, once)"
	@echo "make bench             measure the cost of tasks and fleets, and compare it with other tools (needs kubectl)"
	@echo "make clean             remove the folder $(BUILD)"

demo: $(VENV)/complete $(COLLECTION)
	@PYTHONPATH=tests python tests/demo/demo.py $(BUILD)/demo

simulator: $(VENV)/complete $(COLLECTION)
	@PYTHONPATH=tests python tests/demo/playground.py $(BUILD)/simulator

test: $(VENV)/complete $(COLLECTION) $(AWX)/complete $(CONTRACT)/complete
	@PYTHONPATH=tests python -m machine.install
	@PYTHONPATH=tests python -m machine.checks

test-versions: $(VENV)/complete $(COLLECTION) $(AWX)/complete $(CONTRACT)/complete
	nox --tags versions

test-prereleases: $(VENV)/complete $(COLLECTION) $(AWX)/complete $(CONTRACT)/complete
	nox --session prereleases

picture: $(VENV)/complete $(COLLECTION)
	@PYTHONPATH=tests python tests/demo/picture.py $(BUILD)/demo docs/demo.svg

docs: $(VENV)/complete $(COLLECTION)
	nox --session docs

audit: $(VENV)/complete
	nox --session audit

bench: $(VENV)/complete $(COLLECTION) $(PEERS)/complete
	@PYTHONPATH=tests python tests/benchmark/task_cost.py $(BUILD)/benchmark
	@PYTHONPATH=tests:$(BUILD)/collections python tests/benchmark/many_pods.py $(BUILD)/benchmark-pods
	@PYTHONPATH=tests python tests/benchmark/peers.py $(BUILD)/benchmark
	@PYTHONPATH=tests python tests/benchmark/fleet.py $(BUILD)/benchmark/fleet

control-plane:
	@tests/control_plane/build "$(KUBEBUILDER_ASSETS)"

clean:
	rm -rf $(BUILD)

$(VENV)/complete: pyproject.toml requirements.txt
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 with ensurepip found;" \
	  "install one (on Debian with the package python3-venv), or set PYTHON=..." >&2; exit 1; }
	@echo "Installing the tools of the tests into $(VENV)"
	$(PYTHON) -m venv --clear $(VENV)
	python -m pip install --quiet 'pip>=25.1'
	python -m pip install --quiet --group dev --requirement requirements.txt
	touch $@

# The other tools of the benchmark, each with its requirements.
$(PEERS)/complete:
	mkdir -p $(PEERS)
	$(PYTHON) -m venv --clear $(PEERS)/collection
	$(PEERS)/collection/bin/pip install --quiet 'ansible>=12,<13' kubernetes
	$(PEERS)/collection/bin/pip install --quiet --requirement \
	  $$(echo $(PEERS)/collection/lib/python*/site-packages/ansible_collections/azure/azcollection/requirements.txt)
	$(PYTHON) -m venv --clear $(PEERS)/az
	$(PEERS)/az/bin/pip install --quiet azure-cli
	touch $@

# The modules that set up AWX: the collection awx.awx from the package ansible.
$(AWX)/complete: $(VENV)/complete
	mkdir -p $(AWX)
	python -m pip download --quiet --no-deps --dest $(AWX) 'ansible>=12,<13'
	python -c 'import sys, zipfile; package = zipfile.ZipFile(sys.argv[1]); package.extractall(sys.argv[2], \
	  [name for name in package.namelist() if name.startswith("ansible_collections/awx/")])' $(AWX)/ansible-*.whl $(AWX)
	rm $(AWX)/ansible-*.whl
	touch $@

# Another client of the same service, for the contract tests, in a separate environment.
$(CONTRACT)/complete:
	mkdir -p $(CONTRACT)
	$(PYTHON) -m venv --clear $(CONTRACT)/azure-ai-ml
	$(CONTRACT)/azure-ai-ml/bin/pip install --quiet 'azure-ai-ml>=1.35,<2' azure-identity
	touch $@

# A link to this folder, through which Ansible and Python find the collection by its full name.
$(COLLECTION):
	mkdir -p $(dir $@)
	ln -sfn ../../../.. $@
