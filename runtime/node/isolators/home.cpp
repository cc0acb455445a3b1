#include "base/error.h"
#include "base/subprocess.h"
#include "node/disk_limit.h"
#include "node/environ.h"
#include "node/gear_files.h"
#include "node/isolators/isolators.h"
#include "node/ssh_key.h"
#include "sys/selinux.h"

#include <sys/stat.h>
#include <unistd.h>

namespace gearbox {

namespace {

struct HomeDirectory {
    const char* path;
    bool of_gear;
    mode_t mode;
    FileKind kind = FileKind::home;
};

// Parents first. What the gear may change is its own; around it everything is root's, so that no
// directory that the platform works in can be exchanged under its hands.
constexpr HomeDirectory directories[] = {
    {".env", false, 0750},
    {".env/user_vars", false, 0750},
    {".ssh", false, 0750},
    {".openshift_ssh", false, 0750},
    {".auth", false, 0750},
    {".sandbox", false, 0000},
    {".tmp", false, 0000},
    {".gem", true, 0750},
    {"app-root", false, 0750},
    {"app-root/data", true, 0750},
    {"app-root/logs", true, 0750, FileKind::log},
    {"app-root/runtime", false, 0750},
    {"app-root/runtime/repo", true, 0750},
    {"app-root/runtime/dependencies", true, 0750},
    {"app-root/runtime/build-dependencies", true, 0750},
    {"app-deployments", true, 0750},
    {"app-deployments/by-id", true, 0750},
    {"git", false, 0750, FileKind::repository},
};

constexpr const char* secret_key = ".openshift_ssh/id_rsa";

struct HomeLink {
    const char* path;
    const char* text;
};

constexpr HomeLink links[] = {
    {"app-root/runtime/data", "../data"},
    {"app-root/repo", "runtime/repo"},
    {"app-root/dependencies", "runtime/dependencies"},
    {"app-root/build-dependencies", "runtime/build-dependencies"},
};

// Once: others may have been told of it. The gear's own, as ssh(1) wants it.
void write_key(const GearFiles& files, const GearSpec& spec) {
    if (files.exists(secret_key)) {
        return;
    }
    const SshKeyPair key = make_ssh_key(spec.dns);
    files.write(str(secret_key, ".pub"), key.shared, files.unlocked(), 0644);
    files.write(secret_key, key.secret, files.unlocked(), 0600);
}

class HomeIsolator final : public Isolator {
public:
    HomeIsolator(const Profiles& profiles, const Paths& paths, const SecurityPolicy& policy)
        : profiles_(profiles), paths_(paths), policy_(policy) {}
    const char* name() const override { return "home"; }

    void acquire(const GearRecord& record) override {
        const GearSpec& spec = record.spec;
        const std::string path = paths_.home(spec.id);
        const std::string label = policy_.file_label(spec.uid, FileKind::home);
        {
            const sys::CreateLabel guard(label);
            if (::mkdir(path.c_str(), 0700) < 0 && errno != EEXIST) {
                fail_errno("creating '", path, "'");
            }
        }
        check(::chown(path.c_str(), 0, spec.uid), "setting the owner of '", path, "'");
        check(::chmod(path.c_str(), 0750), "setting the mode of '", path, "'");
        const GearFiles files(path, spec.uid, label);
        for (const HomeDirectory& row : directories) {
            files.ensure_directory(row.path, row.of_gear ? files.unlocked() : files.locked(),
                                   row.mode, policy_.file_label(spec.uid, row.kind));
        }
        for (const HomeLink& row : links) {
            files.ensure_symlink(row.path, row.text);
        }
        write_gear_variables(files, spec, path);
        adapt(record, 0);
    }

    void adapt(const GearRecord& record, pid_t) override {
        const uid_t uid = record.spec.uid;
        const GearSettings limits = profiles_.limits(record);
        const GearFiles files(paths_.home(record.spec.id), uid, policy_.file_label(uid, FileKind::home));
        write_key(files, record.spec);  // here: gears of versions before this had none
        write_resource_variables(files, limits, disk_limit_mb(limits, record.spec.resources, paths_.gear_base));
    }

    void release(const GearId& gear, uid_t) override {
        // rm walks by descriptor and follows no link; nothing of the gear runs any more.
        run_tool_checked({"rm", "-rf", "--one-file-system", "--", paths_.home(gear)});
    }

private:
    const Profiles& profiles_;
    Paths paths_;
    const SecurityPolicy& policy_;
};

}  // namespace

std::unique_ptr<Isolator> make_home_isolator(const Profiles& profiles, const Paths& paths,
                                             const SecurityPolicy& policy) {
    return std::make_unique<HomeIsolator>(profiles, paths, policy);
}

}  // namespace gearbox
