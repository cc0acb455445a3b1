// The SELinux policy of the image, and the labels it asks for.

#include "file_labels.h"
#include "inspect.h"
#include "stages/stages.h"
#include "tree_changes.h"

#include "base/error.h"
#include "base/file.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

namespace gearbox::builder::stages {

namespace fs = std::filesystem;

namespace {

std::set<std::string> names_in(const fs::path& folder) {
    std::set<std::string> names;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(folder, missing)) {
        names.insert(entry.path().filename().string());
    }
    return names;
}

std::set<std::string> parse_names(const std::string& text) {
    std::set<std::string> names;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        line.erase(std::min(line.find('#'), line.size()));
        std::istringstream words(line);
        for (std::string word; words >> word;) {
            names.insert(word);
        }
    }
    return names;
}

// key = value in semanage.conf, whatever it was before.
void set_semanage(const fs::path& tree,
                  const std::vector<std::pair<std::string, std::string>>& to) {
    const fs::path path = tree / "etc/selinux/semanage.conf";
    std::istringstream in(find_file(path).value_or(""));
    std::string text;
    for (std::string line; std::getline(in, line);) {
        const bool ours = std::any_of(to.begin(), to.end(), [&line](const auto& pair) {
            return line.starts_with(pair.first);
        });
        text += ours ? "" : line + "\n";
    }
    for (const auto& [key, value] : to) {
        text += str(key, " = ", value, "\n");
    }
    put_file(path, text);
}

constexpr const char* shipped = "/usr/share/selinux/default";

// One semodule transaction of the modules that are kept, with the priority of the package's own
// script.
std::vector<std::string> make_semodule_call(const std::set<std::string>& modules,
                                            const std::set<std::string>& keep) {
    std::vector<std::string> argv{"semodule", "-s", "default", "-n", "-X", "100"};
    for (const std::string& name : keep) {
        argv.insert(argv.end(), {"-i", str(shipped, "/", name, ".pp.bz2")});
        if (!modules.contains(name)) {
            fail(ErrorKind::invalid, "selinux-policy-default has no module '", name, "'; ",
                 did_you_mean(name, {modules.begin(), modules.end()}, "remove it from the list"));
        }
    }
    return argv;
}

// The other names of files that have several: in layers each is a file of its own once it is changed,
// and setfiles takes them for one.
std::vector<std::string> linked_paths(const fs::path& tree) {
    std::vector<std::string> paths;
    for (const auto& entry : fs::recursive_directory_iterator(tree)) {
        if (entry.symlink_status().type() == fs::file_type::regular && entry.hard_link_count() > 1) {
            paths.push_back(entry.path().string().substr(tree.string().size() + 1));
        }
    }
    return paths;
}

// By the tree's own program, which looks all up in a tenth of the time that an older libselinux of
// the host takes. -m: the kernel's list of mounts says which file systems have labels, which none
// has on a host without SELinux. /proc is mounted meanwhile; its labels are the kernel's.
void label_all(StageContext& context) {
    ToolCall call;
    call.argv = {"setfiles", "-F", "-m", "-e", "/proc", "-T", "0", str("/", file_contexts), "/"};
    call.root = context.tree;
    context.tools.run(call);
    label_files(context.tree, context.tree / file_contexts, linked_paths(context.tree));
}

}  // namespace

void run_policy(StageContext& context) {
    const fs::path& tree = context.tree;
    const fs::path list = tree / fs::path(shipped).relative_path() / ".modules";
    const int version = context.options.at("policy_version").get<int>();
    // policy-version: what the kernel reads; a newer one would be converted at every boot.
    // usepasswd: no home directory contexts from accounts, gears' homes have their own.
    // expand-check: neverallow rules are checked, which Debian's default leaves out.
    // bzip-blocksize: the store is not compressed. That took semodule most of its time, here and
    // whenever it runs on the appliance; the image's own compression makes it smaller.
    set_semanage(tree, {{"policy-version", std::to_string(version)},
                        {"usepasswd", "false"},
                        {"expand-check", "1"},
                        {"bzip-blocksize", "0"}});
    const std::set<std::string> modules = parse_names(find_file(list).value_or(""));
    if (modules.empty()) {
        fail(ErrorKind::not_found, "the tree has no policy modules in '", list.string(), "'");
    }
    const std::set<std::string> keep =
        parse_names(read_file(context.sources.at("policy_keep")));
    auto argv = make_semodule_call(modules, keep);
    const fs::path inside = "/var/tmp/gearbox-policy";
    const fs::path folder = tree / inside.relative_path();
    fs::create_directories(folder);
    std::vector<std::string> ours;
    for (const std::string& name : names_in(context.sources.at("policy_modules"))) {
        if (name.ends_with(".cil")) {
            fs::copy_file(context.sources.at("policy_modules") / name, folder / name);
            ours.push_back((inside / name).string());
        }
    }
    argv.insert(argv.end(), {"-X", "400"});
    for (const std::string& file : ours) {
        argv.insert(argv.end(), {"-i", file});
    }
    context.progress(-1, str(keep.size(), " modules, ", ours.size(), " of ours"));
    ToolCall call;
    call.argv = std::move(argv);
    call.root = tree;
    context.tools.run(call);
    fs::remove_all(folder);
    // An upgrade of the package installs all of its modules: the others will stay disabled.
    for (const std::string& name : modules) {
        if (!keep.contains(name)) {
            put_file(tree / "var/lib/selinux/default/active/modules/disabled" / name, "");
        }
    }
    for (const std::string& name : names_in(tree / "etc/selinux/default/policy")) {
        if (name != str("policy.", version)) {
            fs::remove(tree / "etc/selinux/default/policy" / name);
        }
    }
    put_file(tree / "etc/selinux/config",
             str("# Written by gearbox-build.\nSELINUX=",
                 context.options.at("state").get<std::string>(), "\nSELINUXTYPE=default\n"));
    // The last stage labels only what other stages make.
    label_all(context);
}

// Before the labels, which it gets, too. The id is that of the tree: this is its last stage.
void put_image_about(StageContext& context) {
    Json about = context.options;
    about.erase("source_date_epoch");
    about["tree"] = context.id;
    about["builder"] = GEARBOX_VERSION;
    const fs::path file = context.tree / image_about;
    put_file(file, about.dump(1) + "\n");
    set_time(file, epoch_of(context));
}

void run_labels(StageContext& context) {
    put_image_about(context);
    const std::vector<std::string> changed = find_changes(context.base, context.tree).present;
    const std::string folder = fs::path(file_contexts).parent_path().string();
    const bool other_rules = std::find(changed.begin(), changed.end(), folder) != changed.end();
    if (other_rules) {
        label_all(context);
    } else {
        label_files(context.tree, context.tree / file_contexts, changed);
    }
}

}  // namespace gearbox::builder::stages
