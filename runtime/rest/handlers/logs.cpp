#include "rest/handlers/handlers.h"

#include "rest/payloads.h"

#include <cstdint>

namespace gearbox::rest::handlers {

namespace {

constexpr std::int64_t usual_lines = 10;
constexpr std::int64_t most_lines = 1000;

}  // namespace

// Clients that follow ask again each second: no connection and no thread is held for them.
Reply show_logs(const Call& call) {
    Problems problems;
    Fields fields(call.params, problems);
    const std::string after = fields.text("after", exit_code::unspecified).value_or("");
    const std::int64_t lines = fields.integer("lines", exit_code::unspecified).value_or(usual_lines);
    if (lines < 0 || lines > most_lines) {
        problems.add(str("lines must be from 0 to ", most_lines), exit_code::unspecified, "lines");
    }
    problems.check();
    const LogPage page = call.broker.applications.logs(application_of(call), after, static_cast<int>(lines));
    Json list = Json::array();
    for (const LogLine& line : page.lines) {
        list.push_back({{"file", line.file}, {"text", line.text}});
    }
    return {200, "log", Json{{"after", page.after}, {"lines", std::move(list)}}, {}, {}};
}

}  // namespace gearbox::rest::handlers
