#include "formats.h"

#include "diagnostics.h"
#include "options.h"
#include "stage.h"

#include "base/error.h"

#include <algorithm>

namespace gearbox::builder {

const std::vector<Format>& format_table() {
    static const std::vector<Format> table{
        {"iso", "iso", "image.iso", ".iso", "live medium for disc, stick and virtual machine",
         false},
        {"raw", "raw", "disk.raw", ".raw", "disk image, as it is", false},
        {"qcow2", "qcow2", "disk.qcow2", ".qcow2", "disk image for QEMU and libvirt", false},
        {"vmdk", "vmdk", "disk.vmdk", ".vmdk", "disk image for VMware", false},
        {"vdi", "vdi", "disk.vdi", ".vdi", "disk image for VirtualBox", false},
        {"ova", "ova", "machine.ova", ".ova", "virtual machine to import", false},
        {"vagrant-virtualbox", "vagrant-virtualbox", "virtualbox.box", "-virtualbox.box",
         "Vagrant box for the provider 'virtualbox'", false},
        {"vagrant-libvirt", "vagrant-libvirt", "libvirt.box", "-libvirt.box",
         "Vagrant box for the provider 'libvirt'", false},
        {"tar", "tar", "root.tar.zst", ".tar.zst", "root file system with its labels", false},
        {"oci", "oci", "image.oci.tar", ".oci.tar", "container image", false},
        {"sbom", "packages", "sbom.spdx.json", ".spdx.json", "what is in it, as SPDX 2.3", true},
    };
    return table;
}

const Format& find_format(const std::string& name) {
    const auto& table = format_table();
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&name](const Format& format) { return name == format.name; });
    if (found == table.end()) {
        fail(ErrorKind::not_found, "there is no format '", name, "'");
    }
    return *found;
}

namespace {

std::vector<std::string> in_table_order(const std::set<std::string>& wanted) {
    std::vector<std::string> formats;
    for (const Format& format : format_table()) {
        if (wanted.contains(format.name)) {
            formats.emplace_back(format.name);
        }
    }
    return formats;
}

}  // namespace

std::vector<std::string> parse_formats(const std::string& list, const char* where) {
    std::vector<std::string> names;
    for (const Format& format : format_table()) {
        names.emplace_back(format.name);
    }
    std::set<std::string> wanted;
    for (const std::string& name : split_list(list)) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            fail(ErrorKind::invalid, where, ": there is no format '", name, "'; ",
                 did_you_mean(name, names, "there are " + join_names(names)));
        }
        wanted.insert(name);
    }
    if (wanted.empty()) {
        fail(ErrorKind::invalid, where, " names none; there are ", join_names(names));
    }
    return in_table_order(wanted);
}

std::vector<std::string> with_companions(const std::vector<std::string>& formats) {
    std::set<std::string> wanted(formats.begin(), formats.end());
    for (const Format& format : format_table()) {
        if (format.with_others) {
            wanted.insert(format.name);
        }
    }
    return in_table_order(wanted);
}

std::set<std::string> needed_stages(const std::vector<std::string>& formats,
                                    const std::vector<Stage>& stages, const std::set<std::string>& given) {
    std::set<std::string> needed;
    for (const std::string& format : formats) {
        needed.insert(find_format(format).stage);
    }
    // A stage comes after those that it needs, and a layer is nothing without those below.
    bool tree = false;
    for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
        if (stage->kind == StageKind::layer && (tree || needed.contains(stage->name))) {
            tree = true;
            needed.insert(stage->name);
        }
        if (needed.contains(stage->name) && !given.contains(stage->name)) {
            needed.insert(stage->after.begin(), stage->after.end());
        }
    }
    return needed;
}

std::string conversion_path(const std::string& stage, const BuildPlan& plan) {
    const StageStep& step = plan.step(stage);
    if (step.kind != StageKind::artifact) {
        return "tree";
    }
    return (step.after.empty() ? "" : conversion_path(step.after.front(), plan) + " → ") + stage;
}

std::string root_tree_id(const BuildPlan& plan) {
    std::string id;
    for (const StageStep& step : plan.steps) {
        if (step.kind == StageKind::layer) {
            id = step.id;
        }
    }
    return id;
}

}  // namespace gearbox::builder
