#!/bin/bash
# Installs the cartridges, their SDK, the helper commands and the quickstarts:
#     cartridges/install.sh DESTDIR
# The one description of what goes where; the package and the tests use it.
set -eu

source=$(dirname "$(readlink -f "$0")")
[[ $# == 1 ]] || { echo "usage: install.sh DESTDIR" >&2; exit 64; }
mkdir -p "$1"
destination=$(readlink -f "$1")

umask 022
share=$destination/usr/share/gearbox
sdk=$destination/usr/lib/openshift/cartridge_sdk
helpers=$destination/usr/libexec/gearbox/bin
commands=$destination/usr/bin
mkdir -p "$share/cartridges" "$share/quickstarts" "$sdk/bash" "$sdk/ruby" "$helpers" "$commands"

for manifest in "$source"/*/metadata/manifest.yml; do
    cartridge=$(dirname "$(dirname "$manifest")")
    name=$(basename "$cartridge")
    rm -rf "$share/cartridges/$name"
    # What a link names comes along: procfile has the libraries of others.
    cp -rL "$cartridge" "$share/cartridges/$name"
    chmod -R u=rwX,go=rX "$share/cartridges/$name"
    for directory in bin hooks; do
        [[ ! -d $share/cartridges/$name/$directory ]] || chmod -R 755 "$share/cartridges/$name/$directory"
    done
done

install -m 644 "$source"/sdk/bash/* "$sdk/bash/"
install -m 644 "$source"/sdk/ruby/* "$sdk/ruby/"
install -m 755 "$source"/sdk/bin/* "$helpers/"
# Where first lines of scripts (#!/usr/bin/oo-ruby) and full paths in them expect the commands of v2.
for name in gear oo-binary-deploy oo-cgroup-read oo-erb oo-exec-ruby oo-gear-registry oo-lists-ports oo-ruby oo-ssh logshifter rhc-list-ports; do
    ln -sfn "../libexec/gearbox/bin/$name" "$commands/$name"
done

for quickstart in "$source"/quickstarts/*/quickstart.toml; do
    directory=$(dirname "$quickstart")
    name=$(basename "$directory")
    mkdir -p "$share/quickstarts/$name"
    install -m 644 "$quickstart" "$share/quickstarts/$name/quickstart.toml"
    for picture in "$directory"/*.svg; do
        [[ ! -f $picture ]] || install -m 644 "$picture" "$share/quickstarts/$name/"
    done
    "$source/quickstarts/make-repo.sh" "$directory/tree" "$share/quickstarts/$name/$name.git"
done
