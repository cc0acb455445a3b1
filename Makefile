# Everything a developer types. Each target says what it does; `make help` lists them.
SHELL := /bin/bash
SUITE ?= trixie
BUILD := build/host
# What was expensive to make, for all clones of this user: compiled objects, chroots, stages of images. Any of it may be
# removed at any time (`make clean-cache`).
export GEARBOX_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/gearbox
export CCACHE_DIR ?= $(GEARBOX_CACHE)/ccache
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR := 1

.PHONY: help demo demo-stop test deps build deb iso images unit functional stress e2e test-formats test-powercuts test-vagrant test-virtualbox bench bench-broker bench-gears bench-builders bench-media bench-density bench-overhead bench-push bench-large-push bench-from-code lint clean clean-cache

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## build the appliance, boot it, deploy WordPress into it
	@packages/check-host 8
	@packages/install-deps
	@python3 livecd/demo/demo.py

demo-stop: ## end what `make demo` left running
	@python3 livecd/demo/demo.py --stop

test: ## everything that can fail, tested
	@packages/check-host 12
	@packages/install-deps
	@python3 tests/run.py

deps: ## install what packages/build.txt lists and this machine lacks
	@packages/install-deps

build: ## programs of this machine, in build/bin
	@mkdir -p $(CCACHE_DIR) build/bin
	@cmake --preset host > $(BUILD)-configure.log 2>&1 || { cat $(BUILD)-configure.log; exit 1; }
	@ninja -C $(BUILD)
	@ln -sf ../host/runtime/cli/gearbox ../host/runtime/gearboxd ../host/builder/gearbox-build build/bin/

deb: ## build/deb/SUITE/gearbox_*.deb (SUITE=trixie or bookworm)
	@packages/build-deb $(SUITE)

iso: build ## build/gearbox.iso
	@packages/build-deb trixie
	@build/bin/gearbox-build build kickstart/livecd.ks --output build/gearbox.iso \
	    --deb $$(ls build/deb/trixie/gearbox_*.deb)

images: build ## build/images: every format of the same appliance
	@packages/build-deb trixie
	@build/bin/gearbox-build build kickstart/livecd.ks --output build/images/ \
	    --deb $$(ls build/deb/trixie/gearbox_*.deb) \
	    --format iso,raw,qcow2,vmdk,vdi,ova,vagrant-virtualbox,vagrant-libvirt,tar,oci

unit: build ## unit tests: no root, seconds
	@ninja -C $(BUILD) unit_tests
	@ctest --test-dir $(BUILD) -L unit --output-on-failure -j 2

functional: build ## real daemon, gears, sshd, git, HAProxy, Apache, MariaDB on this machine
	@ctest --test-dir $(BUILD) -L functional --output-on-failure

stress: build ## 64 clients for 5 minutes, then: do store, node and router agree? And 10,000 lives of gears
	@unshare --net --mount --propagation private python3 -B tests/stress/stress.py
	@GEARBOX_ROUNDS=10000 $(BUILD)/tests/functional/node_functional_test --gtest_filter='RoundsTest.*' 2>/dev/null

lint: build ## layers, banned calls, shell scripts, generated documents
	@ctest --test-dir $(BUILD) -L lint --output-on-failure

test-formats: build ## WordPress on an image of each format, started by BIOS and by UEFI with Secure Boot
	@python3 tests/run.py formats

test-powercuts: iso ## an appliance whose power goes at any moment, GEARBOX_CUTS times (5); GEARBOX_SEED repeats a run
	@python3 tests/run.py powercuts

test-vagrant: ## the Vagrant box and vagrant/Vagrantfile, with Vagrant and libvirt themselves
	@packages/check-host 12
	@packages/install-deps
	@packages/install-deps vagrant
	@$(MAKE) --no-print-directory build
	@packages/build-deb trixie
	@build/bin/gearbox-build build kickstart/vagrant.ks --format vagrant-libvirt --output build/gearbox-libvirt.box \
	    --deb $$(ls build/deb/trixie/gearbox_*.deb)
	@python3 -B tests/vagrant/run.py build/gearbox-libvirt.box

test-virtualbox: build ## the OVA and the box as VirtualBox sees them, where Debian's archive has it
	@packages/build-deb trixie
	@python3 tests/run.py virtualbox

e2e: iso ## the scenarios against the booted image
	@python3 tests/e2e/run.py build/gearbox.iso

bench: iso ## figures and ratios, printed
	@python3 tests/bench/figures.py

bench-gears: build ## the start of a gear beside crun, bwrap, systemd-nspawn (needs those)
	@python3 tests/bench/gears.py

bench-push: build ## a push until it is served, beside plain git and the server's start
	@unshare --net --mount --propagation private python3 -B tests/bench/push.py

bench-large-push: build ## memory of the daemon and of a gear during a push of 500 MiB
	@unshare --net --mount --propagation private python3 -B tests/bench/large_push.py

bench-from-code: build ## WordPress from its source until it is served, beside the same by hand (needs wordpress)
	@unshare --net --mount --propagation private python3 -B tests/bench/from_code.py

bench-density: build ## time and memory of a thousand idle gears
	@python3 tests/bench/density.py

bench-overhead: build ## a web server in a gear beside the same outside of it
	@python3 tests/bench/overhead.py

bench-builders: build ## an ISO beside mkosi and live-build, from the same packages (needs those)
	@packages/build-deb trixie
	@unshare --mount --propagation private python3 -B tests/bench/builders.py

bench-media: iso ## the ISO beside a disk image of its tree; squashfs and EROFS, sizes and starts
	@python3 -B tests/bench/media.py

bench-broker: build ## replies of the broker beside nginx (needs nginx-light and wrk)
	@python3 tests/bench/broker.py

clean: demo-stop ## removes what was built here
	rm -rf build

clean-cache: ## removes what all clones keep in $GEARBOX_CACHE (default: ~/.cache/gearbox)
	rm -rf "$(GEARBOX_CACHE)"
