#!/bin/bash
# Runs shellcheck over every shell script that git knows, found by its first line.
set -euo pipefail
cd "${1:-.}"
scripts=()
while IFS= read -r -d '' file; do
    if [ -f "$file" ] && head -c 64 "$file" | head -n 1 | tr -d '\0' | grep -qE '^#!.*\b(ba)?sh\b'; then
        scripts+=("$file")
    fi
done < <(git ls-files -z)
# SC2154, SC1090: variables and functions come from the gear and from files found at run time. SC2187: busybox.
shellcheck --severity=warning --external-sources --exclude=SC2154,SC1090,SC2187 "${scripts[@]}"
