#include "node/service_watch.h"

namespace gearbox {

namespace {

constexpr int most_failures = 5;
constexpr std::int64_t first_delay_ms = 10'000;
constexpr std::int64_t holds_after_ms = 60'000;

}  // namespace

ServiceWatch::Verdict ServiceWatch::look(std::int64_t now_ms, bool is_listening) {
    if (!is_listening) {
        return miss(now_ms);
    }
    if (!was_listening_ || missed_ > 0) {
        listening_since_ = now_ms;
    }
    was_listening_ = true;
    has_given_up_ = false;
    missed_ = 0;
    if (now_ms - listening_since_ >= holds_after_ms) {
        failures_ = 0;
    }
    return Verdict::fine;
}

ServiceWatch::Verdict ServiceWatch::miss(std::int64_t now_ms) {
    if (!was_listening_ || has_given_up_ || ++missed_ < 2 || now_ms < not_before_) {
        return Verdict::fine;
    }
    if (failures_ == most_failures) {
        has_given_up_ = true;
        return Verdict::give_up;
    }
    not_before_ = now_ms + (first_delay_ms << failures_);
    ++failures_;
    ++restarts_;
    return Verdict::restart;
}

}  // namespace gearbox
