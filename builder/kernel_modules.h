// Which module files a list of module names needs, in load order (modules.dep of one kernel).
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

namespace gearbox::builder {

/// "kernel/drivers/ata/ahci.ko.xz" → "ahci".
std::string module_name(const std::string& path);

/// One name a line, '#' starts a comment.
std::vector<std::string> parse_name_list(const std::string& text);

class ModuleIndex {
public:
    ModuleIndex(const std::string& modules_dep, const std::string& modules_builtin);

    /// Paths below the kernel's module folder, dependencies first, each once. Built-in modules need
    /// nothing. Throws Error(not_found) with the nearest name for one that does not exist.
    std::vector<std::string> load_order(const std::vector<std::string>& names) const;

private:
    std::map<std::string, std::string> paths_;               ///< name with '_' for '-' → path
    std::map<std::string, std::vector<std::string>> needs_;  ///< path → paths, nearest first
    std::set<std::string> builtin_;
};

}  // namespace gearbox::builder
