// The routes of HAProxy: a map file that it reads at its start, and the same changes through its
// admin socket while it runs. The file is the truth; a router that is down reads it later.
#pragma once
#include "base/settings.h"
#include "node/routes.h"

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace gearbox {

/// One line a route, sorted.
std::string routes_text(const Routes& routes);

/// The admin commands that turn one table into the other.
std::vector<std::string> plan_route_changes(const Routes& is, const Routes& wanted,
                                            const std::string& map);

/// Reads the answer to `show map`: lines "0x… key value".
Routes parse_shown_map(const std::string& text);

/// The differences as sentences.
std::vector<std::string> describe_differences(const Routes& is, const Routes& wanted);

/// Thread-safe.
class Router {
public:
    explicit Router(const Settings& settings);

    /// Replaces the routes of one gear; an empty table removes them.
    void publish(const GearId& gear, const Routes& routes);
    /// Replaces everything, at the start of the daemon.
    void reset(std::map<GearId, Routes> gears);

    /// How what the running router serves differs from these, a sentence each.
    std::vector<std::string> differences(const Routes& wanted) const;

    /// Certificates of single hosts: a file each, named in a list that the router reads at its
    /// start, and the same change in the running router. Idempotent.
    void set_certificate(const std::string& host, const std::string& pem);
    void remove_certificate(const std::string& host);
    /// Tells the running router of the cloud domain's certificate, if there is another than at the last call.
    void follow_certificate();

private:
    void apply();
    void write_certificate_list();
    std::string certificate_file(const std::string& host) const;
    void tell(const std::vector<std::string>& commands) const;
    std::string ask(const std::string& command) const;

    std::string map_file_;
    std::string certificate_dir_;
    std::string certificate_list_;
    std::string socket_;
    std::string own_certificate_;
    std::mutex mutex_;
    std::filesystem::file_time_type told_;  ///< of own_certificate_; guarded by mutex_
    std::map<GearId, Routes> gears_;  ///< guarded by mutex_
};

}  // namespace gearbox
