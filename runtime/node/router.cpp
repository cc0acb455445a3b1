#include "node/router.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <sstream>

namespace gearbox {

std::string routes_text(const Routes& routes) {
    std::string out = "# Written by gearboxd: host name, address of its gear.\n";
    for (const auto& [host, address] : routes) {
        out += str(host, " ", address, "\n");
    }
    return out;
}

std::vector<std::string> plan_route_changes(const Routes& is, const Routes& wanted,
                                            const std::string& map) {
    std::vector<std::string> out;
    for (const auto& [host, address] : wanted) {
        const auto found = is.find(host);
        if (found == is.end()) {
            out.push_back(str("add map ", map, " ", host, " ", address));
        } else if (found->second != address) {
            out.push_back(str("set map ", map, " ", host, " ", address));
        }
    }
    for (const auto& [host, address] : is) {
        if (!wanted.contains(host)) {
            out.push_back(str("del map ", map, " ", host));
        }
    }
    return out;
}

Routes parse_shown_map(const std::string& text) {
    Routes out;
    std::istringstream lines(text);
    std::string line;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string id;
        std::string host;
        std::string address;
        if (words >> id >> host >> address && id.starts_with("0x")) {
            out[host] = address;
        }
    }
    return out;
}

Router::Router(const Settings& settings)
    : map_file_(settings.router.map_file), socket_(settings.router.admin_socket) {
    std::filesystem::create_directories(std::filesystem::path(map_file_).parent_path());
}

std::string Router::ask(const std::string& command) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_.size() >= sizeof address.sun_path) {
        fail(ErrorKind::invalid, "the socket path '", socket_, "' is too long");
    }
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    const UniqueFd fd(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "creating a socket"));
    constexpr timeval patience{5, 0};
    check(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
          "setting a timeout");
    check(::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience),
          "setting a timeout");
    check(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
          "asking the router at '", socket_, "'");
    write_all(fd.get(), command + "\n");
    return read_all(fd.get());
}

void Router::publish(const GearId& gear, const Routes& routes) {
    const std::lock_guard guard(mutex_);
    if (routes.empty()) {
        gears_.erase(gear);
    } else {
        gears_[gear] = routes;
    }
    apply();
}

void Router::reset(std::map<GearId, Routes> gears) {
    const std::lock_guard guard(mutex_);
    gears_ = std::move(gears);
    apply();
}

void Router::apply() {
    Routes wanted;
    for (const auto& [gear, routes] : gears_) {
        wanted.insert(routes.begin(), routes.end());
    }
    write_file_atomically(map_file_, routes_text(wanted));
    try {
        const Routes is = parse_shown_map(ask("show map " + map_file_));
        for (const std::string& command : plan_route_changes(is, wanted, map_file_)) {
            ask(command);
        }
    } catch (const SysError& error) {
        // Not running: it will read the file.
        log::info("the router is not told about routes: ", error.text());
    }
}

}  // namespace gearbox
