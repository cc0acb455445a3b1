#include "kernel_modules.h"

#include "diagnostics.h"

#include "base/error.h"

#include <algorithm>
#include <sstream>

namespace gearbox::builder {

namespace {

// The kernel treats both as the same letter.
std::string normalised(std::string name) {
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

}  // namespace

std::string module_name(const std::string& path) {
    std::string name = path.substr(path.rfind('/') + 1);
    name.erase(std::min(name.find(".ko"), name.size()));
    return name;
}

std::vector<std::string> parse_name_list(const std::string& text) {
    std::vector<std::string> names;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        line.erase(std::min(line.find('#'), line.size()));
        std::istringstream words(line);
        for (std::string word; words >> word;) {
            names.push_back(word);
        }
    }
    return names;
}

ModuleIndex::ModuleIndex(const std::string& modules_dep, const std::string& modules_builtin) {
    std::istringstream in(modules_dep);
    for (std::string line; std::getline(in, line);) {
        const auto colon = line.find(':');
        if (colon == std::string::npos) {
            continue;
        }
        const std::string path = line.substr(0, colon);
        paths_[normalised(module_name(path))] = path;
        std::istringstream words(line.substr(colon + 1));
        for (std::string word; words >> word;) {
            needs_[path].push_back(word);
        }
    }
    std::istringstream built(modules_builtin);
    for (std::string line; std::getline(built, line);) {
        builtin_.insert(normalised(module_name(line)));
    }
}

std::vector<std::string> ModuleIndex::load_order(const std::vector<std::string>& names) const {
    std::vector<std::string> order;
    const auto add = [&order](const std::string& path) {
        if (std::find(order.begin(), order.end(), path) == order.end()) {
            order.push_back(path);
        }
    };
    for (const std::string& name : names) {
        const auto found = paths_.find(normalised(name));
        if (found == paths_.end()) {
            if (builtin_.contains(normalised(name))) {
                continue;
            }
            std::vector<std::string> known;
            for (const auto& [other, path] : paths_) {
                known.push_back(other);
            }
            fail(ErrorKind::not_found, "the kernel has no module '", name, "'; ",
                 did_you_mean(name, known, "remove it from the list of the initramfs"));
        }
        // modules.dep lists the whole chain, the deepest dependency last.
        const auto needs = needs_.find(found->second);
        if (needs != needs_.end()) {
            for (auto need = needs->second.rbegin(); need != needs->second.rend(); ++need) {
                add(*need);
            }
        }
        add(found->second);
    }
    return order;
}

}  // namespace gearbox::builder
