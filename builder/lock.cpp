#include "lock.h"

#include "host.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <algorithm>
#include <set>
#include <sstream>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

constexpr int lock_version = 1;

Json stage_named(const Json& stages, const std::string& name) {
    for (const Json& stage : stages) {
        if (stage.at("stage") == name) {
            return stage;
        }
    }
    return Json();
}

// "a, b": elements of one list that the other does not have.
std::string extra(const Json& list, const Json& other) {
    std::string text;
    for (const Json& element : list) {
        if (std::find(other.begin(), other.end(), element) == other.end()) {
            text += (text.empty() ? "" : ", ") +
                    (element.is_string() ? element.get<std::string>() : to_text(element));
        }
    }
    return text.empty() ? "nothing" : text;
}

std::string difference(const std::string& key, const Json& locked, const Json& now) {
    if (locked.is_array() && now.is_array()) {
        return str("'", key, "': the lock has ", extra(locked, now), ", the recipe ",
                   extra(now, locked));
    }
    return str("'", key, "' is ", to_text(now), ", in the lock ", to_text(locked));
}

void compare_members(const std::string& stage, const Json& locked, const Json& now,
                     std::vector<std::string>& differences) {
    std::set<std::string> keys;
    for (const Json* side : {&locked, &now}) {
        for (const auto& [key, value] : side->items()) {
            keys.insert(key);
        }
    }
    for (const std::string& key : keys) {
        const Json before = locked.value(key, Json());
        const Json after = now.value(key, Json());
        if (before != after) {
            differences.push_back(str("stage '", stage, "': ", difference(key, before, after)));
        }
    }
}

}  // namespace

Json to_json(const LockFile& lock) {
    Json json = to_json(lock.state);
    json["lock_version"] = lock_version;
    json["builder"] = lock.builder;
    json["mirrors"] = lock.mirrors;
    json["stages"] = lock.stages;
    json["tools"] = lock.tools;
    json["images"] = lock.images;
    return json;
}

LockFile read_lock_file(const fs::path& path) {
    try {
        const Json json = parse_json(read_file(path));
        if (take<int>(json, "lock_version") != lock_version) {
            fail(ErrorKind::invalid, "its version is ", take<int>(json, "lock_version"),
                 ", this builder reads version ", lock_version);
        }
        LockFile lock;
        using Texts = std::map<std::string, std::string>;
        lock.builder = take<std::string>(json, "builder");
        lock.mirrors = take<Texts>(json, "mirrors");
        lock.stages = take<Json>(json, "stages");
        for (const Json& stage : lock.stages) {
            for (const char* key : {"stage", "id"}) {
                take<std::string>(stage, key);
            }
            for (const char* key : {"options", "inputs"}) {
                take<Json::object_t>(stage, key);
            }
        }
        lock.state = parse_archive_state(json);
        lock.tools = take<Texts>(json, "tools");
        lock.images = take<Texts>(json, "images");
        return lock;
    } catch (const Error& error) {
        fail(ErrorKind::invalid, "lock file '", path.string(), "': ", error.what());
    }
}

std::vector<std::string> find_plan_differences(const LockFile& lock, const BuildPlan& plan) {
    std::vector<std::string> differences;
    bool same_ids = true;
    for (const StageStep& step : plan.steps) {
        const Json locked = stage_named(lock.stages, step.stage);
        // A check changes nothing; a format that the lock does not have has nothing to be equal to.
        if (locked.is_null() || step.stage == "host-check") {
            continue;
        }
        compare_members(step.stage, locked.at("options"), step.options, differences);
        for (const auto& [role, hash] : step.inputs) {
            if (locked.at("inputs").value(role, "") != hash) {
                differences.push_back(
                    str("stage '", step.stage, "': the contents of '", role, "' are others"));
            }
        }
        same_ids = same_ids && locked.at("id") == step.id;
    }
    if (differences.empty() && !same_ids) {
        differences.push_back(str("this builder's stages are others: it is ", GEARBOX_VERSION,
                                  ", the lock is of ", lock.builder));
    }
    return differences;
}

std::string describe_tool_differences(const LockFile& lock,
                                      const std::map<std::string, std::string>& tools) {
    std::string text;
    for (const auto& [package, version] : tools) {
        const auto locked = lock.tools.find(package);
        if (locked != lock.tools.end() && locked->second != version) {
            text += str("\n  ", package, " is ", version, ", in the lock ", locked->second);
        }
    }
    return text;
}

std::map<std::string, std::string> host_tool_versions(const std::set<std::string>& stages) {
    std::vector<std::string> argv{"dpkg-query", "--show", "--showformat=${Package} ${Version}\\n",
                                  "dpkg",       "apt",    "tar"};
    for (const HostNeed& need : host_needs()) {
        if (*need.stage == '\0' || stages.contains(need.stage)) {
            argv.emplace_back(need.package);
        }
    }
    std::map<std::string, std::string> versions;
    std::istringstream in(run_tool(argv).out);
    for (std::string name, version; in >> name >> version;) {
        versions[name] = version;
    }
    return versions;
}

}  // namespace gearbox::builder
