// Time as a dependency: services take a Clock, tests give them a fake one.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace gearbox {

class Clock {
public:
    virtual ~Clock() = default;
    /// Seconds since the epoch, UTC.
    virtual std::int64_t now() const = 0;
    /// Milliseconds since the epoch, UTC.
    virtual std::int64_t now_ms() const { return now() * 1000; }
    /// Milliseconds on a clock that never goes back; for durations.
    virtual std::int64_t monotonic_ms() const = 0;
};

class SystemClock final : public Clock {
public:
    std::int64_t now() const override { return now_ms() / 1000; }
    std::int64_t now_ms() const override;
    std::int64_t monotonic_ms() const override;
};

/// ISO 8601 in UTC without fractions, "2013-02-20T08:29:49Z": the only form that rhc parses.
std::string iso_time(std::int64_t seconds);

}  // namespace gearbox
