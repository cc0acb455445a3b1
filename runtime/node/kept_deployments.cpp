#include "node/kept_deployments.h"

#include "base/error.h"
#include "base/log.h"
#include "node/paths.h"

#include <algorithm>
#include <set>
#include <utility>

namespace gearbox {

namespace {

bool is_stamp(const std::string& name) {
    return name.starts_with("20") && name.size() == 23 &&
           name.find_first_not_of("0123456789-_.") == std::string::npos;
}

bool is_id(const std::string& text) {
    return text.size() == 8 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Deployment parse_metadata(const Json& json) {
    Deployment out;
    out.id = take<std::string>(json, "id");
    out.ref = take<std::string>(json, "git_ref");
    out.sha1 = take<std::string>(json, "git_sha1");
    out.hot_deploy = find<bool>(json, "hot_deploy").value_or(false);
    out.force_clean_build = find<bool>(json, "force_clean_build").value_or(false);
    out.activations =
        find<std::vector<double>>(json, "activations").value_or(std::vector<double>{});
    out.checksum = find<std::string>(json, "checksum").value_or("");
    out.created = find<std::int64_t>(json, "created").value_or(0);
    return out;
}

std::string path_of(const std::string& directory) { return str(home::deployments, "/", directory); }

}  // namespace

std::string metadata_text(const Deployment& deployment) {
    return to_text(Json{{"git_ref", deployment.ref},
                        {"git_sha1", deployment.sha1},
                        {"id", deployment.id},
                        {"hot_deploy", deployment.hot_deploy},
                        {"force_clean_build", deployment.force_clean_build},
                        {"activations", deployment.activations},
                        {"checksum", deployment.checksum},
                        {"created", deployment.created}});
}

std::vector<KeptDeployment> KeptDeployments::all(const GearRecord& record) const {
    const GearFiles files = node_.files(record);
    std::vector<KeptDeployment> out;
    for (const std::string& name : files.list(home::deployments)) {
        const auto text = is_stamp(name) ? files.find(path_of(name) + "/metadata.json") : std::nullopt;
        if (!text) {
            continue;
        }
        try {
            out.push_back({name, parse_metadata(parse_json(*text))});
        } catch (const Error&) {
            // The gear's own file: what it broke is not listed.
            continue;
        }
    }
    return out;
}

const KeptDeployment* KeptDeployments::last_activated(const std::vector<KeptDeployment>& all) {
    const KeptDeployment* out = nullptr;
    for (const KeptDeployment& deployment : all) {
        const auto& times = deployment.value.activations;
        if (!times.empty() && (out == nullptr || times.back() > out->value.activations.back())) {
            out = &deployment;
        }
    }
    return out;
}

void KeptDeployments::write(const GearRecord& record, const std::string& directory, const Deployment& deployment) const {
    const GearFiles files = node_.files(record);
    files.write(path_of(directory) + "/metadata.json", metadata_text(deployment), files.unlocked(), 0600);
}

// The least recently activated first. What has no metadata is none any more; prune() removes its files.
void KeptDeployments::forget_excess(const GearRecord& record, const std::string& current) const {
    const GearFiles files = node_.files(record);
    std::vector<KeptDeployment> others = all(record);
    std::erase_if(others, [&](const KeptDeployment& one) { return one.directory == current; });
    const auto rank = [](const KeptDeployment& one) {
        const auto& times = one.value.activations;
        return std::pair(times.empty() ? 0 : times.back(), one.directory);
    };
    std::sort(others.begin(), others.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    const auto keep = static_cast<std::size_t>(std::max(1, record.spec.deployment.keep));
    for (std::size_t i = 0; i + keep < others.size() + 1; ++i) {
        files.remove(path_of(others[i].directory) + "/metadata.json");
        if (is_id(others[i].value.id)) {
            files.remove(path_of("by-id/" + others[i].value.id));
        }
    }
}

void KeptDeployments::prune(const GearRecord& record) const {
    try {
        remove_others(record);
    } catch (const Error& error) {
        log::warning("removing old deployments: ", error.text(), log::field("gear", record.spec.id.text()));
    }
}

void KeptDeployments::remove_others(const GearRecord& record) const {
    const GearFiles files = node_.files(record);
    std::set<std::string> wanted;
    for (const KeptDeployment& one : all(record)) {
        wanted.insert({one.directory, "by-id/" + one.value.id});
    }
    std::vector<std::string> argv = {"/usr/bin/rm", "-rf", "--"};
    const auto add = [&](const std::string& name) {
        if (!wanted.contains(name)) {
            argv.push_back(path_of(name));
        }
    };
    for (const std::string& name : files.list(path_of("by-id"))) {
        add("by-id/" + name);
    }
    for (const std::string& name : files.list(home::deployments)) {
        if (is_stamp(name)) {
            add(name);
        }
    }
    if (argv.size() > 3) {
        const GearResult removed = runner_.run(record, Purpose::build, argv);
        if (removed.status != 0) {
            fail(ErrorKind::unavailable, removed.err.substr(0, 1000));
        }
    }
}

}  // namespace gearbox
