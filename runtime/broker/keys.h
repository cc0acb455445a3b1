// Public keys of a user, kept in every gear of theirs.
#pragma once
#include "broker/core.h"

namespace gearbox {

class KeyService {
public:
    explicit KeyService(Core& core) : core_(core) {}

    std::vector<KeyRecord> list(const Principal& who) const { return core_.store.keys(who.user.id); }
    KeyRecord key(const Principal& who, const std::string& name) const;  ///< throws 404/118
    KeyRecord add(const Principal& who, const std::string& name, const std::string& type,
                  const std::string& content);
    KeyRecord update(const Principal& who, const std::string& name, const std::string& type,
                     const std::string& content);
    void remove(const Principal& who, const std::string& name);

private:
    /// Runs change, then writes the user's keys to all of their gears; undone together.
    void change(const Principal& who, Op record);

    Core& core_;
};

}  // namespace gearbox
