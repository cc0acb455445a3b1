#include "conformance/attempts.h"

#include <algorithm>

namespace gearbox::conformance {

namespace {

consteval Attempt row(const char* group, const char* identifier, const char* what,
                      std::array<Sign, 4> signs) {
    if (signs[0].layer == Layer::none) {
        throw "an attempt needs a layer that is expected to stop it";
    }
    return {group, identifier, what, signs};
}

constexpr Attempt table[] = {
#define ATTEMPT(group, function, what, ...) \
    row(#group, #function, what, std::array<Sign, 4>{{__VA_ARGS__}}),
#include "conformance/attempts.def"
#undef ATTEMPT
};

struct LayerName {
    Layer layer;
    const char* name;
};

constexpr LayerName names[] = {
    {Layer::none, "nothing"},
    {Layer::dac, "DAC"},
    {Layer::selinux_type, "SELinux type"},
    {Layer::mcs, "MCS"},
    {Layer::namespaces, "namespace"},
    {Layer::cgroup, "cgroup"},
    {Layer::limit, "resource limit"},
    {Layer::seccomp, "seccomp"},
    {Layer::quota, "quota"},
    {Layer::nftables, "nftables"},
    {Layer::capabilities, "capabilities"},
    {Layer::mount, "mount"},
    {Layer::platform, "platform"},
};

}  // namespace

const char* name_of(Layer layer) {
    return std::find_if(std::begin(names), std::end(names),
                        [layer](const LayerName& row) { return row.layer == layer; })
        ->name;
}

std::string kebab(std::string_view identifier) {
    std::string out(identifier);
    std::replace(out.begin(), out.end(), '_', '-');
    return out;
}

const std::vector<Attempt>& attempts() {
    static const std::vector<Attempt> rows(std::begin(table), std::end(table));
    return rows;
}

std::vector<std::string> groups() {
    std::vector<std::string> out;
    for (const Attempt& attempt : attempts()) {
        const std::string group = kebab(attempt.group);
        if (out.empty() || out.back() != group) {
            out.push_back(group);
        }
    }
    return out;
}

namespace {

bool is_of_selinux(const Sign& sign) {
    return sign.layer == Layer::selinux_type || sign.layer == Layer::mcs;
}

}  // namespace

// Beside the directory of the commands that are in every session's PATH.
std::string probe_command(const std::vector<std::string>& chosen, bool heavy) {
    std::string out = "exec \"$(dirname \"$(command -v gear)\")/../gear-probe\"";
    for (const std::string& group : chosen) {
        out += " --group " + group;
    }
    return out + (heavy ? " --heavy" : "");
}

bool needs_selinux(const Attempt& attempt) {
    return std::all_of(attempt.signs.begin(), attempt.signs.end(), [](const Sign& sign) {
        return sign.layer == Layer::none || is_of_selinux(sign);
    });
}

bool selinux_is_one_of_several(const Attempt& attempt) {
    return !needs_selinux(attempt) && std::any_of(attempt.signs.begin(), attempt.signs.end(), is_of_selinux);
}

}  // namespace gearbox::conformance
