#include "support/private_host.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "support/paths.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

namespace gearbox::test {

namespace fs = std::filesystem;

namespace {

std::string parent_cgroup;

void tmpfs(const std::string& target) {
    fs::create_directories(target);
    check(::mount("tmpfs", target.c_str(), "tmpfs", 0, "mode=0755"), "mounting '", target, "'");
}

// A copy on tmpfs instead of the files one by one: useradd replaces them by renaming.
void private_etc() {
    const TempDir copy("gearbox-etc");
    tmpfs(copy.path());
    run_tool_checked({"cp", "-a", "/etc/.", copy.path()});
    check(::mount(copy.path().c_str(), "/etc", nullptr, MS_BIND, nullptr), "binding /etc");
    ::umount2(copy.path().c_str(), MNT_DETACH);
}

void install_programs() {
    const std::string target = libexec_dir();
    fs::create_directories(target + "/bin");
    for (const char* program : {"gear-init/gear-init", "conformance/gear-probe", "gear-deploy/gear-deploy", "gear-shell", "gear-hook", "gear-fetch"}) {
        fs::copy(built_program(str("runtime/", program)), target, fs::copy_options::overwrite_existing);
    }
    run_tool_checked({"cp", "-a", source_path("cartridges/sdk/bin/."), target + "/bin"});
    tmpfs("/usr/lib/openshift");
    fs::create_directories("/usr/lib/openshift/cartridge_sdk");
    run_tool_checked(
        {"cp", "-a", source_path("cartridges/sdk/bash"), source_path("cartridges/sdk/ruby"), "/usr/lib/openshift/cartridge_sdk/"});
}

void install_cartridges() {
    const std::string target = "/var/lib/gearbox/cartridges";
    fs::create_directories(target);
    run_tool_checked({"cp", "-a", source_path("cartridges/php"),
                      source_path("cartridges/mysql"), source_path("cartridges/static"), test_data("cartridges/mock"),
                      target});
}

}  // namespace

std::string missing_for_gears() {
    if (::geteuid() != 0) {
        return "needs root";
    }
    for (const char* program : {"ip", "nft", "nsenter", "useradd", "git"}) {
        const auto found = run_tool({"sh", "-c", std::string("command -v ") + program});
        if (found.status != 0) {
            return std::string("needs the program ") + program;
        }
    }
    return "";
}

std::string libexec_dir() {
    return "/var/lib/gearbox/libexec";
}

void enter_private_host(const std::string& cgroup_parent) {
    parent_cgroup = cgroup_parent;
    check(::unshare(CLONE_NEWNS | CLONE_NEWNET), "making namespaces");
    check(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "making mounts private");
    run_tool_checked({"ip", "link", "set", "lo", "up"});
    private_etc();
    for (const char* directory : {"/var/lib/openshift", "/var/lib/gearbox", "/run/gearbox", "/run/netns"}) {
        tmpfs(directory);
    }
    install_programs();
    install_cartridges();
}

Settings private_host_settings() {
    Settings settings = make_default_settings();
    settings.node.cartridge_dir = "/var/lib/gearbox/cartridges";
    settings.node.import_dir = "/var/lib/gearbox/imported";
    settings.node.libexec_dir = libexec_dir();
    settings.node.cgroup_parent = parent_cgroup;
    settings.node.script_timeout_seconds = 120;
    settings.security.policy = "none";
    return settings;
}

}  // namespace gearbox::test
