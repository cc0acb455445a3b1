// What few deployments do to files, as bash programs: included by deployer.cpp only. What all do is in gear-deploy/.
#pragma once
#include <string>
#include <vector>

namespace gearbox {

// The programs below work on the gear's own files, so they run in the gear as the gear. Their text
// is constant; what differs comes in as arguments.

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
