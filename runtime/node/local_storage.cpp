// What LocalAgent does about the disk of all gears.
#include "base/file.h"
#include "base/log.h"
#include "node/disk_limit.h"
#include "node/local_agent.h"

#include <filesystem>

namespace gearbox {

// For the welcome screen, which is renewed when the file comes or goes.
void LocalAgent::tell_shortage() const {
    const std::string shortage = find_shortage(storage(), 0);
    const std::string file = paths_.shortage();
    if (shortage.empty() == !std::filesystem::exists(file)) {
        return;
    }
    if (shortage.empty()) {
        std::filesystem::remove(file);
        log::info("there is room for applications again");
    } else {
        write_file_atomically(file, shortage + "\n", 0644);
        log::warning(shortage);
    }
}

NodeStorage LocalAgent::storage() const {
    return look_at_storage(settings_.node);
}

void LocalAgent::flush() const { flush_file_system(paths_.gear_base); }

}  // namespace gearbox
