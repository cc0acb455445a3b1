#!/bin/bash
# shellcheck over every shell script that git knows, found by its first line.
set -euo pipefail
cd "${1:-.}"
scripts=()
while IFS= read -r -d '' file; do
    if [ -f "$file" ] && head -c 64 "$file" | head -n 1 | tr -d '\0' | grep -qE '^#!.*\b(ba)?sh\b'; then
        scripts+=("$file")
    fi
done < <(git ls-files -z)
# SC2154: a cartridge's scripts get their variables from the gear's environment and from files sourced there.
shellcheck --severity=warning --external-sources --exclude=SC2154 "${scripts[@]}"
