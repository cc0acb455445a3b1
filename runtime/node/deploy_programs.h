// What a deployment does to files, as bash programs: included by deployer.cpp only.
#pragma once
#include <string>
#include <vector>

namespace gearbox {

// The programs below work on the gear's own files, so they run in the gear as the gear. Their text
// is constant; what differs comes in as arguments.

// $1 repository, $2 commit. The work tree is emptied, not replaced: runtime/repo keeps its
// identity.
inline constexpr const char* checkout_program = R"(set -e -o pipefail
cd "$OPENSHIFT_REPO_DIR"
shopt -s nullglob dotglob
old=(*)
((${#old[@]} == 0)) || find . -mindepth 1 -delete
git --git-dir="$1" archive --format=tar "$2" | tar -x
if [[ -f .gitmodules ]]; then
    echo "NOTE: submodules are not checked out: gears have no way to fetch them"
fi
)";

// $1 repository, $2 what is to be deployed. Prints the paths of its markers, and how many MiB its files have; ends with 1 and says why if it is no commit, or
// one that this gear cannot hold. Names with control characters come quoted (core.quotePath in git-config(1)).
inline constexpr const char* inspect_program = R"(set -o pipefail
kind=$(git --git-dir="$1" cat-file -t "$2")
if [[ $kind != commit ]]; then
    echo "what is pushed is a ${kind:-missing object}, and only commits can be deployed" >&2
    exit 1
fi
git --git-dir="$1" -c core.quotePath=false ls-tree -r -t -l --full-tree "$2" |
    LC_ALL=C awk -v files="$GEARBOX_FILES" -v disk="$GEARBOX_DISK_MB" '
function refuse(text) { print text | "cat >&2"; close("cat >&2"); refused = 1; exit 1 }
{
    split($0, word, " ")
    bytes += word[4]
    path = substr($0, index($0, "\t") + 1)
    name = path
    sub(/.*\//, "", name)
    if (length(path) > 4000)
        refuse("the path " substr(path, 1, 60) "... has " length(path) " characters; 4000 are the most that can be checked out: use fewer or shorter directories")
    if (length(name) > 257)
        refuse("the file name " substr(name, 1, 60) "... has " length(name) " characters; 255 are the most that can be checked out: shorten it")
    if (path ~ /^\.openshift\/markers\//)
        print path
}
END {
    if (refused)
        exit 1
    if (NR > files + 0)
        refuse("the commit has " NR " files and directories, and this gear may have " files ": leave out what is generated, or take a larger gear size")
    if (bytes > disk * 1048576)
        refuse(sprintf("the files of the commit take %.0f MiB, and this gear has a disk of %d MiB: leave them out, or ask for more storage", bytes / 1048576, disk))
    print int(bytes / 1048576)
}'
)";

// $1 directory of the deployment that now runs, $2 its metadata, $3 number to keep. The least
// recently activated go first, the current one never; what has no metadata was never built.
inline constexpr const char* finish_program = R"(set -e
cd "$OPENSHIFT_DEPLOYMENTS_DIR"
printf '%s' "$2" >"$1/metadata.json"
shopt -s nullglob
others=() gone=()
for stamp in 20*; do
    [[ $stamp != "$1" ]] || continue
    text=""
    { IFS= read -r -d '' text <"$stamp/metadata.json"; } 2>/dev/null || true
    when=0
    [[ ! $text =~ \"activations\":\ *\[([^]]*)\] ]] || when=${BASH_REMATCH[1]##*[, ]}
    if [[ -z $text ]]; then
        gone+=("$stamp")
    else
        others+=("${when:-0} $stamp")
    fi
done
excess=$((${#others[@]} + 1 - $3))
if ((excess > 0)); then
    ((excess == ${#others[@]})) || mapfile -t others < <(printf '%s\n' "${others[@]}" | LC_ALL=C sort -k1,1n -k2,2)
    gone+=("${others[@]:0:excess}")
fi
gone=("${gone[@]##* }")
for link in by-id/*; do
    for stamp in "${gone[@]}"; do
        [[ ! $link -ef $stamp ]] || gone+=("$link")
    done
    [[ -e $link ]] || gone+=("$link")
done
((${#gone[@]} == 0)) || rm -rf -- "${gone[@]}"
)";

// $1 directory, $2 id, $3 metadata with an empty checksum. Prints the checksum. What came as an
// archive is there already. At the end it is the current one.
inline constexpr const char* prepare_program = R"(set -e -o pipefail
cd "$OPENSHIFT_DEPLOYMENTS_DIR"
runtime=${OPENSHIFT_HOMEDIR%/}/app-root/runtime
[[ -d by-id && -d $1 ]] || mkdir -p by-id "$1"
[[ -d $1/repo ]] || cp -a --reflink=auto "$runtime"/{repo,dependencies,build-dependencies} "$1/"
ln -sfn "../$1" "by-id/$2"
sum=$(tar --create --directory="$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu \
    repo dependencies build-dependencies | sha1sum)
sum=${sum:0:40}
printf '%s' "${3/\"checksum\":\"\"/\"checksum\":\"$sum\"}" >"$1/metadata.json"
ln -sfn "$1" .current.new
mv -T .current.new current
echo "$sum"
)";

// $1 directory. Replaced in one step: there is always a current deployment.
inline constexpr const char* current_program = R"(set -e
cd "$OPENSHIFT_DEPLOYMENTS_DIR"
ln -sfn "$1" .current.new
mv -T .current.new current
)";

// $1 directory of a deployment that failed. It goes, unless it is the one that runs again.
inline constexpr const char* discard_program = R"(cd "$OPENSHIFT_DEPLOYMENTS_DIR" || exit
[[ $(readlink current) == "$1" ]] || rm -rf -- "$1"
[[ ! -d by-id ]] || find by-id -xtype l -delete
)";

// $1 directory of a deployment: its files, as they were activated, become those that run.
inline constexpr const char* restore_program = R"(set -e
runtime=${OPENSHIFT_HOMEDIR%/}/app-root/runtime
[[ -d ${OPENSHIFT_DEPLOYMENTS_DIR%/}/$1/repo ]] || exit 0
cd "${OPENSHIFT_DEPLOYMENTS_DIR%/}/$1"
for part in repo dependencies build-dependencies; do
    mkdir -p "$part"
    find "$runtime/$part" -mindepth 1 -delete
    cp -a --reflink=auto "$part/." "$runtime/$part/"
done
)";

inline constexpr const char* clean_program = R"(set -e
find "$OPENSHIFT_DEPENDENCIES_DIR" "$OPENSHIFT_BUILD_DEPENDENCIES_DIR" -mindepth 1 -delete
)";

inline std::vector<std::string> bash(const char* program, std::vector<std::string> arguments) {
    std::vector<std::string> argv = {"/bin/bash", "-c", program, "deploy"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
}

}  // namespace gearbox
