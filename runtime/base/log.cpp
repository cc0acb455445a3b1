#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

namespace gearbox::log {

namespace {

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug: return spdlog::level::debug;
        case Level::info: return spdlog::level::info;
        case Level::warning: return spdlog::level::warn;
        case Level::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

// Under systemd the journal adds the time and reads the priority prefix of sd-daemon(3).
bool in_journal() { return std::getenv("JOURNAL_STREAM") != nullptr; }

std::string_view journal_prefix(Level level) {
    switch (level) {
        case Level::debug: return "<7>";
        case Level::info: return "<6>";
        case Level::warning: return "<4>";
        case Level::error: return "<3>";
    }
    return "<3>";
}

struct Sink {
    Sink()
        : logger("gearbox", std::make_shared<spdlog::sinks::stderr_sink_mt>()),
          journal(in_journal()) {
        logger.set_pattern(journal ? "%v" : "%Y-%m-%dT%H:%M:%S.%e %l %v");
    }
    spdlog::logger logger;
    const bool journal;
};

Sink& sink() {
    static Sink instance;
    return instance;
}

}  // namespace

void set_level(Level level) { sink().logger.set_level(to_spdlog(level)); }

void write(Level level, std::string_view text) {
    Sink& to = sink();
    // One event, one line: text of gears and clients must not forge further lines.
    std::string line(to.journal ? journal_prefix(level) : std::string_view{});
    for (const char c : text) {
        const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        line += control ? ' ' : c;
    }
    to.logger.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace gearbox::log
