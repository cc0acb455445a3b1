#include "node/mirror.h"

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "model/gear.h"
#include "node/disk_limit.h"
#include "sys/disk_quota.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace gearbox {

namespace {

// What stands behind the tools' own configuration: files and variables of the user win.
Environment registries_environment(const MirrorSettings& mirror) {
    const std::string directory = registries_directory;
    Environment out;
    if (!mirror.npm.empty()) {
        out["NPM_CONFIG_GLOBALCONFIG"] = directory + "/npmrc";
    }
    if (!mirror.pip.empty()) {
        out["XDG_CONFIG_DIRS"] = directory + ":/etc/xdg";  // pip/pip.conf in there
    }
    if (!mirror.gem.empty()) {
        out["GEMRC"] = directory + "/gemrc";
        out["BUNDLE_MIRROR__HTTPS://RUBYGEMS__ORG/"] = str("http://", registries_address, "/gem/");
    }
    if (!mirror.maven.empty()) {
        out["MAVEN_ARGS"] = str("-gs ", directory, "/settings.xml");
    }
    if (!mirror.github.empty()) {
        out["GEARBOX_GITHUB_ARCHIVES"] = str("http://", registries_address, "/github/");  // of the php cartridge's Composer
    }
    return out;
}

}  // namespace

Environment mirror_environment(const GearRecord& record, const Egress& egress, const Settings& settings) {
    if (!egress.internet && !egress.rules.empty()) {
        return {};
    }
    const int port = egress.internet ? mirror_fetches_port : mirror_files_port;
    const LinkAddresses addresses = link_addresses(record.spec.uid);
    // Not all programs know networks: addresses of services one by one, too.
    std::string direct = str("localhost,127.0.0.0/8,127.0.0.1,", addresses.gear, ",", registries_address, ",",
                             settings.broker.cloud_domain);
    for (const RecordedCartridge& cartridge : record.cartridges) {
        for (const PlacedEndpoint& endpoint : cartridge.endpoints) {
            direct += str(",", endpoint.address);
        }
    }
    Environment out = {{"http_proxy", str("http://", addresses.host, ":", port)}, {"no_proxy", direct}};
    if (egress.internet) {
        out.merge(registries_environment(settings.mirror));
    }
    return out;
}

MirrorCache mirror_cache(const Settings& settings, std::int64_t disk_mb) {
    constexpr std::int64_t files_of_a_mb = 100;  // npm's archives are small, and each takes some five
    const std::int64_t mb = std::max<std::int64_t>(1, std::min(settings.mirror.cache_mb, disk_mb / 10));
    return {settings.node.gear_base + "/.registries", mb, mb * files_of_a_mb};
}

std::string mirror_file(const MirrorSettings& mirror, const MirrorCache& cache) {
    // What is added until the next cleaning has the fourth quarter.
    std::string out = str("# Of gearbox-mirror.service; made by gearboxd.\nCACHE_DIRECTORY=", cache.directory,
                          "\nCACHE_KB=", cache.mb * 768, "\nCACHE_FILES=", cache.files * 3 / 4, "\n");
    std::string options;
    const auto add = [&](const char* option, const char* variable, const std::string& address) {
        if (!address.empty()) {
            options += str(options.empty() ? "" : " ", "-D ", option);
            out += str("REGISTRY_", variable, "=", address, "\n");
        }
    };
    add("npm", "NPM", mirror.npm);
    add("pip", "PIP", mirror.pip);
    add("pip_files", "PIP_FILES", mirror.pip_files);
    add("gem", "GEM", mirror.gem);
    add("maven", "MAVEN", mirror.maven);
    add("github", "GITHUB", mirror.github);
    return str(out, "REGISTRIES=", options, "\n");
}

void prepare_mirror(const Settings& settings, const std::string& file, uid_t user) {
    const MirrorCache cache = mirror_cache(settings, look_at_storage(settings.node).all_mb);
    if (user != 0) {
        sys::set_disk_quota(settings.node.gear_base, user, {cache.mb << 20, cache.files});
        if (::mkdir(cache.directory.c_str(), 0700) != 0 && errno != EEXIST) {
            fail_errno("making '", cache.directory, "'");
        }
        check(::lchown(cache.directory.c_str(), user, 0), "giving '", cache.directory, "' to the mirror");
    }
    write_file_atomically(file, mirror_file(settings.mirror, cache), 0644);
}

}  // namespace gearbox
