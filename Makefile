# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The first that ansible-core of pyproject.toml runs on; a shim of pyenv may stand for none.
PYTHON ?= $(firstword $(foreach version,3.11 3.12 3.13,$(shell python$(version) -c 'print("python$(version)")' 2>/dev/null)))
BUILD := build
VENV := $(BUILD)/venv
PEERS := $(BUILD)/benchmark/peers
AWX := $(BUILD)/awx
CONTRACT := $(BUILD)/contract
COLLECTION := $(BUILD)/collections/ansible_collections/azureml/arc

# Whatever is downloaded or written stays below build/.
export PIP_CACHE_DIR := $(CURDIR)/$(BUILD)/pip-cache
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(BUILD)/pycache
# Containers often set it; each of the thousands of processes that the tests start would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

# Where the tests look for a Kubernetes control plane; outside of the build folder, because it takes minutes to make.
export KUBEBUILDER_ASSETS ?= $(HOME)/.cache/azureml.arc/control-plane

.PHONY: help demo simulator test test-versions test-prereleases picture docs audit bench control-plane clean

help:
	@echo "make demo              deploy four simulated clusters, see why one fails, deploy again, and verify them"
	@echo "make simulator         simulate Azure and four clusters until Ctrl-C, to try playbooks on"
	@echo "make test              all checks (half an hour); on Debian, as root or with sudo, installs what they need"
	@echo "make test-versions     the tests with each supported ansible-core and both ends of each library's range (hours)"
	@echo "make test-prereleases  the tests that depend on them with pre-releases of ansible-core and the libraries"
	@echo "make docs              the documentation as a site, in $(BUILD)/docs/html"
	@echo "make picture           what 'make demo' shows, as docs/demo.svg"
	@echo "make audit             known weaknesses of the libraries in use (internet)"
	@echo "make control-plane     a Kubernetes control plane for 'make test' (Debian 12, some minutes, once)"
	@echo "make bench             what tasks and fleets of up to 2,000 clusters cost, and the same by others (needs kubectl)"
	@echo "make clean             remove everything that the other commands have made"

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
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; PYTHON=... names one" >&2; exit 1; }
	@echo "Installing the tools of the tests into $(VENV)"
	$(PYTHON) -m venv --clear $(VENV)
	python -m pip install --quiet 'pip>=25.1'
	python -m pip install --quiet --group dev --requirement requirements.txt
	touch $@

# Others that do the same jobs, each with all that it needs.
$(PEERS)/complete:
	mkdir -p $(PEERS)
	$(PYTHON) -m venv --clear $(PEERS)/collection
	$(PEERS)/collection/bin/pip install --quiet 'ansible>=12,<13' kubernetes
	$(PEERS)/collection/bin/pip install --quiet --requirement \
	  $$(echo $(PEERS)/collection/lib/python*/site-packages/ansible_collections/azure/azcollection/requirements.txt)
	$(PYTHON) -m venv --clear $(PEERS)/az
	$(PEERS)/az/bin/pip install --quiet azure-cli
	touch $@

# The modules that set AWX up: of all that package ansible brings, the one collection.
$(AWX)/complete: $(VENV)/complete
	mkdir -p $(AWX)
	python -m pip download --quiet --no-deps --dest $(AWX) 'ansible>=12,<13'
	python -m zipfile --extract $(AWX)/ansible-*.whl $(AWX)/all
	mkdir -p $(AWX)/ansible_collections
	rm -rf $(AWX)/ansible_collections/awx
	mv $(AWX)/all/ansible_collections/awx $(AWX)/ansible_collections/
	rm -rf $(AWX)/all $(AWX)/ansible-*.whl
	touch $@

# Another client of the same service, for the contract tests; its requirements are not ours.
$(CONTRACT)/complete:
	mkdir -p $(CONTRACT)
	$(PYTHON) -m venv --clear $(CONTRACT)/azure-ai-ml
	$(CONTRACT)/azure-ai-ml/bin/pip install --quiet 'azure-ai-ml>=1.35,<2' azure-identity
	touch $@

# Ansible and Python find the collection by its full name, through a link to this folder.
$(COLLECTION):
	mkdir -p $(dir $@)
	ln -sfn ../../../.. $@
