// QEMU's control socket (QMP): JSON, a line each way.
#pragma once
#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gearbox::builder {

/// A command that QEMU refused, with its reason.
class Refused final : public Error {
public:
    using Error::Error;
};

/// What a line means while we wait for an answer: its value, or nothing if it is an event. Throws
/// Refused. Pure.
std::optional<Json> read_answer(std::string_view line);

/// One command at a time; events are dropped.
class Qmp {
public:
    /// Nothing if QEMU does not listen there (yet).
    static std::unique_ptr<Qmp> connect(const std::filesystem::path& path);
    /// Throws Refused, or Error(unavailable) if QEMU is gone or silent for 60 s.
    Json command(const std::string& name, const Json& arguments = Json::object());
    /// Lets the time pass; false, at once, if QEMU is gone.
    bool wait(std::chrono::milliseconds time);

private:
    explicit Qmp(UniqueFd socket) : socket_(std::move(socket)) {}
    std::string read_line();
    bool fill(std::chrono::milliseconds time);
    UniqueFd socket_;
    std::string buffer_;
};

}  // namespace gearbox::builder
