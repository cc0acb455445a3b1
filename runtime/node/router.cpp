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
    std::string out = "# Written by gearboxd: host name and path, what is behind them.\n";
    for (const auto& [place, target] : routes) {
        out += str(place, " ", target, "\n");
    }
    return out;
}

std::vector<std::string> plan_route_changes(const Routes& is, const Routes& wanted,
                                            const std::string& map) {
    std::vector<std::string> out;
    for (const auto& [place, target] : wanted) {
        const auto found = is.find(place);
        if (found == is.end()) {
            out.push_back(str("add map ", map, " ", place, " ", target));
        } else if (found->second != target) {
            out.push_back(str("set map ", map, " ", place, " ", target));
        }
    }
    for (const auto& [place, target] : is) {
        if (!wanted.contains(place)) {
            out.push_back(str("del map ", map, " ", place));
        }
    }
    return out;
}

std::vector<std::string> describe_differences(const Routes& is, const Routes& wanted) {
    std::vector<std::string> out;
    for (const auto& [place, target] : wanted) {
        const auto found = is.find(place);
        if (found == is.end()) {
            out.push_back(str("the router does not know '", place, "'"));
        } else if (found->second != target) {
            out.push_back(str("the router sends '", place, "' to ", found->second, " instead of ", target));
        }
    }
    for (const auto& [place, target] : is) {
        if (!wanted.contains(place)) {
            out.push_back(str("the router knows '", place, "', which leads to no application"));
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
        std::string place;
        std::string target;
        if (words >> id >> place >> target && id.starts_with("0x")) {
            out[place] = target;
        }
    }
    return out;
}

Router::Router(const Settings& settings)
    : map_file_(settings.router.map_file),
      certificate_dir_(std::filesystem::path(map_file_).parent_path() / "certificates"),
      certificate_list_(certificate_dir_ + ".list"),
      socket_(settings.router.admin_socket),
      own_certificate_(settings.paths.state_dir + "/tls/router.pem") {
    std::filesystem::create_directories(certificate_dir_);
    std::filesystem::permissions(certificate_dir_, std::filesystem::perms::owner_all);
    write_certificate_list();
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

std::vector<std::string> Router::differences(const Routes& wanted) const {
    try {
        return describe_differences(parse_shown_map(ask("show map " + map_file_)), wanted);
    } catch (const SysError& error) {
        return {str("the router does not answer: ", error.text())};
    }
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

// Names are AliasNames: no slash, no blank.
std::string Router::certificate_file(const std::string& host) const {
    return str(certificate_dir_, "/", host, ".pem");
}

void Router::write_certificate_list() {
    std::string text = "# Written by gearboxd: certificate, host name.\n";
    for (const auto& entry : std::filesystem::directory_iterator(certificate_dir_)) {
        if (entry.path().extension() == ".pem") {
            text += str(entry.path().native(), " ", entry.path().stem().native(), "\n");
        }
    }
    write_file_atomically(certificate_list_, text);
}

namespace {

// A payload ends at its first empty line: PEM has none.
std::vector<std::string> replacement_of(const std::string& file, const std::string& pem) {
    return {str("set ssl cert ", file, " <<\n", pem, "\n"), str("commit ssl cert ", file)};
}

}  // namespace

// Each command is a question of its own; HAProxy answers errors as text, too.
void Router::tell(const std::vector<std::string>& commands) const {
    try {
        for (const std::string& command : commands) {
            const std::string answer = ask(command);
            log::debug("router: ", command.substr(0, command.find('\n')), ": ", answer);
        }
    } catch (const SysError& error) {
        log::info("the router is not told about a certificate: ", error.text());
    }
}

void Router::set_certificate(const std::string& host, const std::string& pem) {
    const std::lock_guard guard(mutex_);
    const std::string file = certificate_file(host);
    const bool is_new = !std::filesystem::exists(file);
    write_file_atomically(file, pem, 0600);
    write_certificate_list();
    if (is_new) {
        tell({str("new ssl cert ", file)});
    }
    tell(replacement_of(file, pem));
    if (is_new) {
        tell({str("add ssl crt-list ", certificate_list_, " <<\n", file, " ", host, "\n")});
    }
}

void Router::remove_certificate(const std::string& host) {
    const std::lock_guard guard(mutex_);
    const std::string file = certificate_file(host);
    std::filesystem::remove(file);
    write_certificate_list();
    tell({str("del ssl crt-list ", certificate_list_, " ", file), str("del ssl cert ", file)});
}

void Router::follow_certificate() {
    const std::lock_guard guard(mutex_);
    std::error_code missing;
    const auto changed = std::filesystem::last_write_time(own_certificate_, missing);
    if (missing || changed == told_) {
        return;
    }
    told_ = changed;
    tell(replacement_of(own_certificate_, read_file(own_certificate_)));
}

}  // namespace gearbox
