#include "boot_test/qmp.h"

#include "interrupt.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace gearbox::builder {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::optional<Json> read_answer(std::string_view line) {
    const Json answer = parse_json(line);
    if (answer.contains("error")) {
        throw Refused(ErrorKind::invalid,
                      "QEMU: " + find<std::string>(answer["error"], "desc").value_or("refused"));
    }
    return answer.contains("return") ? std::optional<Json>(answer["return"]) : std::nullopt;
}

std::unique_ptr<Qmp> Qmp::connect(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.string().size() >= sizeof address.sun_path) {
        fail(ErrorKind::invalid, "'", path.string(),
             "' is too long for a socket: set TMPDIR to a shorter folder");
    }
    std::strcpy(address.sun_path, path.c_str());
    UniqueFd socket(
        check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "making a control socket"));
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return nullptr;
    }
    std::unique_ptr<Qmp> control(new Qmp(std::move(socket)));
    control->read_line();  // the greeting
    control->command("qmp_capabilities");
    return control;
}

Json Qmp::command(const std::string& name, const Json& arguments) {
    write_all(socket_.get(), to_text(Json{{"execute", name}, {"arguments", arguments}}) + "\n");
    while (true) {
        if (auto value = read_answer(read_line())) {
            return *value;
        }
    }
}

bool Qmp::wait(std::chrono::milliseconds time) {
    const auto end = Clock::now() + time;
    while (Clock::now() < end) {
        if (!fill(std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()))) {
            return false;
        }
        buffer_.erase(0, buffer_.rfind('\n') + 1);
    }
    return true;
}

std::string Qmp::read_line() {
    const auto end = Clock::now() + 60s;
    std::size_t newline = 0;
    while ((newline = buffer_.find('\n')) == std::string::npos) {
        if (Clock::now() > end || !fill(1s)) {
            fail(ErrorKind::unavailable, "QEMU does not answer");
        }
    }
    std::string line = buffer_.substr(0, newline);
    buffer_.erase(0, newline + 1);
    return line;
}

// Reads what is there, waiting for at most that time; false if nothing will ever come.
bool Qmp::fill(std::chrono::milliseconds time) {
    throw_if_interrupted();
    pollfd readable{socket_.get(), POLLIN, 0};
    const int ready = ::poll(&readable, 1, static_cast<int>(time.count()));
    throw_if_interrupted();
    if (check(ready, "waiting for QEMU") == 0) {
        return true;
    }
    char chunk[4096];
    const ssize_t got = ::read(socket_.get(), chunk, sizeof chunk);
    if (got <= 0) {
        return false;
    }
    buffer_.append(chunk, static_cast<std::size_t>(got));
    return true;
}

}  // namespace gearbox::builder
