// The root tree from Debian packages, and our own package on it.
#include "stages/stages.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <charconv>

namespace gearbox::builder::stages {

namespace fs = std::filesystem;

namespace {

// Follows mmdebstrap --verbose: every package is fetched, unpacked and set up once, and apt says
// beforehand how many there are.
class PackageProgress {
public:
    explicit PackageProgress(StageContext& context) : context_(context) {}

    bool take(std::string_view line) {
        const auto announced = line.find(" newly installed");
        if (announced != std::string_view::npos) {
            const auto start = line.rfind(' ', announced - 1) + 1;
            int count = 0;
            std::from_chars(line.data() + start, line.data() + announced, count);
            total_ += count * 3;
        }
        const bool step = line.starts_with("Get:") || line.starts_with("Unpacking ") ||
                          line.starts_with("Setting up ");
        if (step && total_ > 0) {
            ++done_;
            const auto end = line.find(' ', line.starts_with("Setting") ? 11 : 10);
            const bool fetch = line.starts_with("Get:");
            context_.progress(static_cast<double>(done_) / total_,
                              fetch ? "fetching" : std::string(line.substr(0, end)));
        }
        return true;
    }

private:
    StageContext& context_;
    int total_ = 0;
    int done_ = 0;
};

// How the build host reaches its archives is its own business, and true for ours too.
std::vector<std::string> host_apt_options() {
    const std::string wanted[] = {"Acquire::Check-Valid-Until", "Acquire::Check-Date",
                                  "Acquire::http::Proxy", "Acquire::https::Proxy"};
    const ToolResult dump = run_tool({"apt-config", "dump"});
    std::vector<std::string> options;
    std::size_t start = 0;
    while (start < dump.out.size()) {
        const auto end = std::min(dump.out.find('\n', start), dump.out.size());
        const std::string line = dump.out.substr(start, end - start);
        for (const std::string& name : wanted) {
            if (line.starts_with(name + " ")) {
                options.push_back(line.substr(0, line.rfind(';')));
            }
        }
        start = end + 1;
    }
    return options;
}

}  // namespace

// Programs of scripts that stand still otherwise, diverted (dpkg-divert(1)) while packages are
// set up. selinux-policy-default compiles all of its modules; the stage 'policy' installs them and
// compiles those that are kept, so semodule does nothing until then. The kernel's depmod unpacks
// each module: it works beside the packages that come after, and the hook at the end waits for it.
// ucf(1) starts debconf for what it may have to ask about a file that somebody has changed, a fifth
// of a second of perl for each module of PHP: where there is no file, it is told that debconf runs
// already. The copies that it keeps of its lists, one for each of its last runs, go.
constexpr const char* diverted = R"(set -e
cd "$1/usr/sbin"
for name in sbin/semodule sbin/depmod bin/ucf; do
    chroot "$1" dpkg-divert --quiet --local --rename --divert /usr/$name.real --add /usr/$name
done
ln -s /bin/true semodule
cat >depmod <<'SCRIPT'
#!/bin/bash
cd /usr/sbin
exec 9>depmod.lock </dev/null >depmod.failed 2>&1
flock 9
((exec -a depmod ./depmod.real "$@") && rm depmod.failed) 3>&- &
SCRIPT
cat >../bin/ucf <<'SCRIPT'
#!/bin/sh
for file; do :; done
case " $* " in
    *" --debconf-ok "*) ;;
    *) [ -n "$DEBIAN_HAS_FRONTEND" ] || [ -e "$file" ] || DEBIAN_HAS_FRONTEND=1 exec ucf.real "$@" >/dev/null ;;
esac
exec ucf.real "$@"
SCRIPT
chmod +x depmod ../bin/ucf)";
constexpr const char* restored = R"(set -e
cd "$1/usr/sbin"
[ ! -e depmod.lock ] || flock depmod.lock true
[ ! -e depmod.failed ] || { cat depmod.failed; echo "depmod failed"; exit 1; }
rm -f semodule depmod depmod.lock ../bin/ucf
for name in sbin/semodule sbin/depmod bin/ucf; do
    chroot "$1" dpkg-divert --quiet --local --rename --remove /usr/$name
done
rm -f ../../var/lib/ucf/*.[0-7])";

// mmdebstrap's own filter for what packages are not to unpack is a Python program for each of the
// essential packages, which it unpacks twice: first by tar. So dpkg gets the rules after that, and
// what tar unpacked against them goes; dpkg brings back what 'path-include' keeps.
constexpr const char* ruled = R"(set -e
cd "$1"
cp "$GEARBOX_RULES" etc/dpkg/dpkg.cfg.d/99mmdebstrap
set -- -false
while IFS= read -r rule; do
    case $rule in path-exclude=*) set -- "$@" -o -path ".${rule#path-exclude=}" ;; esac
done <"$GEARBOX_RULES"
find . -depth \( "$@" \) \( ! -type d -o -empty \) -delete)";

// In three steps, so that a build without a network, or of a lock file, differs in the first one
// only: choose the packages, have their files, install exactly those from an archive made of them.
void run_root_tree(StageContext& context) {
    const Json& options = context.options;
    TreeWish wish;
    wish.settings = host_apt_options();
    wish.settings.insert(wish.settings.end(),
                         {"APT::Sandbox::User \"root\"", "Acquire::Languages \"none\"",
                          str("APT::Install-Recommends \"",
                              options.at("recommends").get<bool>() ? "true" : "false", "\"")});
    wish.variant = options.at("variant").get<std::string>();
    wish.packages = options.at("packages").get<std::vector<std::string>>();
    wish.suite = options.at("suite").get<std::string>();
    wish.archives = options.at("archives").get<std::vector<std::string>>();

    const fs::path beside = context.out.parent_path();
    const fs::path work = beside / "package-work";
    fs::create_directory(work);
    PackageCache cache(context.cache / "packages", work, context.tools, context.progress);
    const ArchiveState state = context.packages.locked
                                   ? *context.packages.locked
                                   : cache.resolve(wish, context.packages.offline);
    cache.fetch(state, context.packages);

    ToolCall call;
    call.argv = {"mmdebstrap",
                 "--verbose",
                 "--mode=root",
                 "--format=directory",
                 "--variant=" + wish.variant,
                 str("--extract-hook=", ruled),
                 str("--essential-hook=", diverted),
                 str("--customize-hook=", restored)};
    call.unsynced = true;
    for (const std::string& setting : wish.settings) {
        call.argv.push_back("--aptopt=" + setting);
    }
    for (const std::string& name : wish.packages) {
        call.argv.push_back("--include=" + name);
    }
    // In the order of the recipe: dpkg lets the last matching rule decide.
    std::string rules;
    for (const Json& rule : options.at("dpkg")) {
        rules += rule.get<std::string>() + "\n";
    }
    const fs::path rules_file = work / "dpkg.rules";
    write_file_atomically(rules_file, rules);
    call.argv.insert(call.argv.end(), {wish.suite, context.tree.string(),
                                       str("deb [trusted=yes] copy://",
                                           cache.make_archive(state, wish.suite).string(), " ./")});
    PackageProgress progress(context);
    // Without it the kernel's package would build an initramfs that nobody boots.
    call.environment = {"INITRD=No", "GEARBOX_RULES=" + rules_file.string()};
    call.on_line = [&progress](std::string_view line) { return progress.take(line); };
    context.tools.run(call);
    fs::remove_all(work);
    write_file_atomically(beside / archive_state_file, to_json(state).dump(1) + "\n");
}

void run_deb(StageContext& context) {
    const fs::path inside = "/var/cache/gearbox.deb";
    const fs::path copy = context.tree / inside.relative_path();
    fs::copy_file(context.sources.at("deb"), copy, fs::copy_options::overwrite_existing);
    // Services must not start, nor fail to, in a tree that is not running.
    const fs::path policy = context.tree / "usr/sbin/policy-rc.d";
    put_file(policy, "#!/bin/sh\nexit 101\n", 0755);
    std::vector<std::string> missing;
    ToolCall call;
    call.argv = {"dpkg", "--install", inside.string()};
    call.unsynced = true;
    call.root = context.tree;
    call.on_line = [&missing](std::string_view line) {
        const auto start = line.find("Package ");
        const auto end = line.find(" is not installed");
        if (start != std::string_view::npos && end != std::string_view::npos) {
            missing.emplace_back(line.substr(start + 8, end - start - 8));
        }
        return true;
    };
    try {
        context.tools.run(call);
    } catch (Error&) {
        if (missing.empty()) {
            throw;
        }
        std::string names;
        for (const std::string& name : missing) {
            names += " " + name;
        }
        fail(ErrorKind::invalid, "the package needs what the image does not have:", names,
             " (add it to '%packages')");
    }
    fs::remove(copy);
    fs::remove(policy);
}

}  // namespace gearbox::builder::stages
