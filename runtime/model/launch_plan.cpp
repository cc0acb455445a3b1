#include "model/launch_plan.h"

#include "base/error.h"

namespace gearbox {

namespace {

// One word a step, first in its object: a plan reads like a list of commands.
struct Printer {
    Json operator()(const WritableStep& s) const {
        return {{"do", "writable"}, {"target", s.target}, {"mode", s.mode}};
    }
    Json operator()(const BindStep& s) const {
        return {{"do", "bind"},           {"source", s.source},
                {"target", s.target},     {"read_only", s.read_only},
                {"optional", s.optional}, {"devices", s.devices}};
    }
    Json operator()(const ProcStep& s) const { return {{"do", "proc"}, {"target", s.target}}; }
    Json operator()(const TerminalsStep& s) const {
        return {{"do", "terminals"}, {"target", s.target}};
    }
    Json operator()(const MaskStep& s) const { return {{"do", "mask"}, {"target", s.target}}; }
    Json operator()(const ReadOnlyStep& s) const {
        return {{"do", "read_only"}, {"target", s.target}};
    }
    Json operator()(const DirectoryStep& s) const {
        return {{"do", "directory"}, {"target", s.target}, {"mode", s.mode}};
    }
    Json operator()(const SymlinkStep& s) const {
        return {{"do", "symlink"}, {"target", s.target}, {"text", s.text}};
    }
    Json operator()(const FileStep& s) const {
        return {{"do", "file"}, {"target", s.target}, {"content", s.content}};
    }
};

std::string text_of(const Json& json, const char* key) {
    return take<std::string>(json, key);
}

MountStep parse_step(const Json& json) {
    const std::string word = text_of(json, "do");
    const std::string target = text_of(json, "target");
    if (word == "writable") {
        return WritableStep{target, text_of(json, "mode")};
    }
    if (word == "bind") {
        return BindStep{text_of(json, "source"), target, take<bool>(json, "read_only"),
                        take<bool>(json, "optional"), take<bool>(json, "devices")};
    }
    if (word == "proc") {
        return ProcStep{target};
    }
    if (word == "terminals") {
        return TerminalsStep{target};
    }
    if (word == "mask") {
        return MaskStep{target};
    }
    if (word == "read_only") {
        return ReadOnlyStep{target};
    }
    if (word == "directory") {
        return DirectoryStep{target, text_of(json, "mode")};
    }
    if (word == "symlink") {
        return SymlinkStep{target, text_of(json, "text")};
    }
    if (word == "file") {
        return FileStep{target, text_of(json, "content")};
    }
    fail(ErrorKind::invalid, "unknown mount step '", word, "'");
}

Json privileges_json(const Privileges& p) {
    return {{"uid", p.uid},
            {"gid", p.gid},
            {"label", p.label},
            {"limits", p.limits},
            {"capabilities", p.capabilities},
            {"filter", p.filter}};
}

Privileges parse_privileges(const Json& json) {
    Privileges out;
    out.uid = take<uid_t>(json, "uid");
    out.gid = take<gid_t>(json, "gid");
    out.label = text_of(json, "label");
    out.limits = take<decltype(out.limits)>(json, "limits");
    out.capabilities = take<decltype(out.capabilities)>(json, "capabilities");
    out.filter = text_of(json, "filter");
    return out;
}

}  // namespace

Json to_json(const LaunchPlan& plan) {
    Json mounts = Json::array();
    for (const MountStep& step : plan.mounts) {
        mounts.push_back(std::visit(Printer{}, step));
    }
    return {{"gear", plan.gear},
            {"hostname", plan.hostname},
            {"root", plan.root},
            {"root_kb", plan.root_kb},
            {"file_label", plan.file_label},
            {"sysctls", plan.sysctls},
            {"address", plan.address},
            {"gateway", plan.gateway},
            {"mounts", mounts},
            {"privileges", privileges_json(plan.privileges)}};
}

Json to_json(const EnterPlan& plan) {
    return {{"argv", plan.argv},
            {"environment", plan.environment},
            {"directory", plan.directory},
            {"privileges", privileges_json(plan.privileges)}};
}

LaunchPlan parse_launch_plan(const Json& json) {
    LaunchPlan out;
    out.gear = text_of(json, "gear");
    out.hostname = text_of(json, "hostname");
    out.root = text_of(json, "root");
    out.root_kb = take<std::int64_t>(json, "root_kb");
    out.file_label = text_of(json, "file_label");
    out.sysctls = take<decltype(out.sysctls)>(json, "sysctls");
    out.address = text_of(json, "address");
    out.gateway = text_of(json, "gateway");
    for (const Json& step : take<Json>(json, "mounts")) {
        out.mounts.push_back(parse_step(step));
    }
    out.privileges = parse_privileges(take<Json>(json, "privileges"));
    return out;
}

EnterPlan parse_enter_plan(const Json& json) {
    EnterPlan out;
    out.argv = take<std::vector<std::string>>(json, "argv");
    out.environment = take<std::vector<std::string>>(json, "environment");
    out.directory = text_of(json, "directory");
    out.privileges = parse_privileges(take<Json>(json, "privileges"));
    if (out.argv.empty()) {
        fail(ErrorKind::invalid, "'/argv' is empty");
    }
    return out;
}

}  // namespace gearbox
