#!/bin/bash
# Makes the bare repository of a quickstart from its tree:
#     make-repo.sh TREE REPOSITORY.git
# The same tree gives the same commit on every machine: author and date are
# fixed, and no configuration but this script's is read.
set -eu

[[ $# == 2 && -d $1 ]] || { echo "usage: make-repo.sh TREE REPOSITORY.git" >&2; exit 64; }
tree=$(readlink -f "$1")
repository=$(readlink -m "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

umask 022
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null HOME=$scratch TZ=UTC
export GIT_AUTHOR_NAME=Gearbox GIT_AUTHOR_EMAIL=gearbox@localhost
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
export GIT_AUTHOR_DATE='2025-01-01T00:00:00Z' GIT_COMMITTER_DATE='2025-01-01T00:00:00Z'
unset GIT_DIR GIT_WORK_TREE

rm -rf "$repository"
git init --quiet --bare --template= --initial-branch=master "$repository"
export GIT_DIR=$repository GIT_INDEX_FILE=$scratch/index
git -c core.autocrlf=false -c core.filemode=true --work-tree="$tree" add --force --all .
commit=$(git commit-tree -m "Start from the $(basename "$(dirname "$tree")") quickstart" "$(git write-tree)")
git update-ref refs/heads/master "$commit"
git -c pack.threads=1 repack -adq
git prune-packed -q
mkdir -p "$repository/refs/heads" "$repository/refs/tags"
chmod -R u=rwX,go=rX "$repository"
echo "$commit"
