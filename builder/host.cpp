#include "host.h"

#include "formats.h"
#include "hash.h"
#include "stage.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <sys/utsname.h>
#include <unistd.h>
#include <cstdlib>
#include <sstream>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t needed_bytes = 5'000'000'000;

std::string deb_field(const fs::path& deb, const char* field) {
    std::string text = run_tool_checked({"dpkg-deb", "--field", deb.string(), field});
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    return text;
}

void take_deb(const fs::path& deb, Facts& facts) {
    facts.has_deb = true;
    facts.version = deb_field(deb, "Version");
    facts.deb_depends = parse_depends(deb_field(deb, "Depends"));
}

}  // namespace

std::map<std::string, fs::path> collect_sources(const Recipe& recipe, const HostOptions& options) {
    auto sources = recipe.image.sources;
    if (!options.deb.empty()) {
        sources["deb"] = options.deb;
    }
    return sources;
}

Facts collect_facts(const Recipe& recipe, const HostOptions& options, Problems& problems) {
    Facts facts;
    facts.version = GEARBOX_VERSION;
    const Location at{recipe.path.string(), 1, 1};
    for (const auto& [role, path] : collect_sources(recipe, options)) {
        if (!fs::exists(path)) {
            problems.add(at, str("'", role, "' is '", path.string(), "', which does not exist"),
                         "paths in '%addon gearbox' are relative to the file they stand in");
            continue;
        }
        facts.inputs[role] = hash_path(path);
    }
    if (!options.deb.empty() && fs::exists(options.deb)) {
        take_deb(options.deb, facts);
    }
    for (const Repository& repo : recipe.repositories) {
        std::string url = repo.baseurl;
        if (const auto locked = options.mirrors.find(repo.name); locked != options.mirrors.end()) {
            url = locked->second;
        }
        if (url.empty() && repo.suite.find("security") == std::string::npos) {
            url = options.mirror;
        }
        if (url.empty()) {
            url = find_mirror(options.sources, repo.suite).value_or("");
        }
        if (url.empty()) {
            problems.add(repo.at,
                         str("the build host's apt sources have no mirror for '", repo.suite, "'"),
                         "give the option --mirror, or '--baseurl' in the recipe");
        }
        facts.mirrors[repo.name] = url;
    }
    return facts;
}

std::vector<std::string> parse_depends(const std::string& text) {
    std::vector<std::string> names;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, ',');) {
        const auto start = part.find_first_not_of(" \t\n");
        if (start == std::string::npos) {
            continue;
        }
        const auto end = part.find_first_of(" \t\n(|:[", start);
        names.push_back(part.substr(start, end == std::string::npos ? end : end - start));
    }
    return names;
}

const std::vector<HostNeed>& host_needs() {
    static const std::vector<HostNeed> needs{
        {"mmdebstrap", "mmdebstrap", "mmdebstrap", "root-tree"},
        {"apt-ftparchive", "apt-ftparchive", "apt-utils", "root-tree"},
        {"Debian's archive keys", "/usr/share/keyrings/debian-archive-keyring.gpg",
         "debian-archive-keyring", "root-tree"},
        {"unshare", "unshare", "util-linux", ""},
        {"mksquashfs", "mksquashfs", "squashfs-tools", "squashfs"},
        {"xorriso", "xorriso", "xorriso", "iso"},
        {"grub-mkimage", "grub-mkimage", "grub-common", "initramfs"},
        {"GRUB for BIOS", "/usr/lib/grub/i386-pc/boot_hybrid.img", "grub-pc-bin", "initramfs"},
        {"signed GRUB for UEFI", "/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed",
         "grub-efi-amd64-signed", "initramfs"},
        {"signed shim for UEFI", "/usr/lib/shim/shimx64.efi.signed", "shim-signed", "initramfs"},
        {"mkfs.vfat", "mkfs.vfat", "dosfstools", "initramfs"},
        {"mcopy", "mcopy", "mtools", "initramfs"},
        {"mke2fs", "mke2fs", "e2fsprogs", "raw"},
        {"sfdisk", "sfdisk", "fdisk", "raw"},
        {"qemu-img", "qemu-img", "qemu-utils", "qcow2"},
        {"qemu-img", "qemu-img", "qemu-utils", "vmdk"},
        {"qemu-img", "qemu-img", "qemu-utils", "vdi"},
        {"qemu-img", "qemu-img", "qemu-utils", "vagrant-vmdk"},
        {"qemu-img", "qemu-img", "qemu-utils", "vagrant-qcow2"},
        {"zstd", "zstd", "zstd", "tar"},
    };
    return needs;
}

std::vector<std::string> find_host_problems(const HostState& state) {
    std::vector<std::string> problems;
    if (!state.debian || !state.amd64) {
        problems.emplace_back("this is not Debian on amd64: build on Debian 12 or 13");
    }
    if (!state.root && state.stages.contains("root-tree")) {
        problems.emplace_back(
            "not root: building a system needs device files and labels; use sudo, or give a raw disk that is built with "
            "--from and make of it what disks are made into");
    }
    if (state.free_bytes < needed_bytes) {
        problems.push_back(str("only ", state.free_bytes / 1'000'000, " MB free for the cache, ",
                               needed_bytes / 1'000'000,
                               " MB are needed: make room, or choose "
                               "another place with --cache"));
    }
    std::string packages;
    std::set<std::string> looked_at;
    for (const HostNeed& need : host_needs()) {
        const bool matters = *need.stage == '\0' || state.stages.contains(need.stage);
        if (matters && looked_at.insert(need.path).second && !state.has(need.path)) {
            problems.push_back(str(need.what, " is missing"));
            packages += str(" ", need.package);
        }
    }
    if (!packages.empty()) {
        problems.push_back("install what is missing: apt-get install" + packages);
    }
    return problems;
}

namespace {

bool is_there(const std::string& path) {
    if (path.starts_with("/")) {
        return ::access(path.c_str(), R_OK) == 0;
    }
    for (const char* folder :
         {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
        if (::access((folder + path).c_str(), X_OK) == 0) {
            return true;
        }
    }
    return false;
}

}  // namespace

HostState host_state(const fs::path& cache) {
    HostState state;
    state.root = ::geteuid() == 0;
    state.debian = is_there("/etc/debian_version");
    utsname name{};
    state.amd64 = ::uname(&name) == 0 && std::string(name.machine) == "x86_64";
    fs::path folder = fs::absolute(cache);
    while (!fs::exists(folder)) {
        folder = folder.parent_path();
    }
    state.free_bytes = fs::space(folder).available;
    state.has = is_there;
    return state;
}

void require_good_host(const fs::path& cache, const std::vector<std::string>& formats,
                       const std::set<std::string>& given) {
    HostState state = host_state(cache);
    state.stages = needed_stages(formats, stage_table(), given);
    const auto problems = find_host_problems(state);
    if (problems.empty()) {
        return;
    }
    std::string text = "this machine cannot build the image:";
    for (const std::string& problem : problems) {
        text += "\n  - " + problem;
    }
    fail(ErrorKind::unavailable, text);
}

}  // namespace gearbox::builder
