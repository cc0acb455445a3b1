#include "node/gear_store.h"

#include "base/error.h"
#include "base/file.h"

#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>

namespace gearbox {

GearStore::GearStore(const Paths& paths) : paths_(paths) {
    const std::string directory = paths_.records();
    std::filesystem::create_directories(directory);
    check(::chmod(directory.c_str(), 0700), "setting the mode of '", directory, "'");
}

std::optional<GearRecord> GearStore::find(const GearId& gear) const {
    const std::string path = paths_.record(gear);
    const auto text = find_file(path);
    if (!text) {
        return std::nullopt;
    }
    return while_doing([&] { return parse_gear_record(parse_json(*text)); }, "reading '", path,
                       "'");
}

GearRecord GearStore::gear(const GearId& gear) const {
    auto record = find(gear);
    if (!record) {
        fail(ErrorKind::not_found, "there is no gear '", gear.text(), "'");
    }
    return *record;
}

void GearStore::save(const GearRecord& record) const {
    write_file_atomically(paths_.record(record.spec.id), to_json(record).dump(1), 0600);
}

void GearStore::remove(const GearId& gear) const {
    const std::string path = paths_.record(gear);
    if (::unlink(path.c_str()) < 0 && errno != ENOENT) {
        fail_errno("removing '", path, "'");
    }
}

std::vector<GearId> GearStore::gears() const {
    std::vector<GearId> out;
    for (const auto& entry : std::filesystem::directory_iterator(paths_.records())) {
        const std::string stem = entry.path().stem();
        if (entry.path().extension() == ".json" && is_object_id(stem)) {
            out.emplace_back(stem);
        }
    }
    return out;
}

}  // namespace gearbox
