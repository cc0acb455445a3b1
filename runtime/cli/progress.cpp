#include "cli/progress.h"

#include <chrono>
#include <cstdio>

namespace gearbox::cli {

namespace {

constexpr std::chrono::milliseconds interval{300};

bool is_final(const Step& step) { return step.state != "pending" && step.state != "running"; }

}  // namespace

std::vector<Step> parse_steps(const Json& data) {
    std::vector<Step> out;
    for (const Json& item : data.value("steps", Json::array())) {
        const auto name = take<std::string>(item, "name");
        out.push_back({name, find<std::string>(item, "title").value_or(name),
                       find<std::string>(item, "state").value_or("pending"),
                       find<std::int64_t>(item, "elapsed_ms").value_or(0)});
    }
    return out;
}

std::string step_line(const Step& step) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%7.1f s", static_cast<double>(step.elapsed_ms) / 1000.0);
    std::string title = step.title;
    title.resize(std::max<std::size_t>(title.size(), 44), ' ');
    std::string state = step.state;
    state.resize(std::max<std::size_t>(state.size(), 8), ' ');
    return str("  ", state, " ", title, seconds);
}

Progress::Progress(Terminal& terminal, BrokerClient broker, std::string request_id)
    : terminal_(terminal),
      broker_(std::move(broker)),
      request_id_(std::move(request_id)),
      thread_([this] { poll(); }) {}

Progress::~Progress() {
    {
        const std::lock_guard lock(mutex_);
        finished_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

void Progress::poll() {
    std::unique_lock lock(mutex_);
    for (bool last = false; !last;) {
        wake_.wait_for(lock, interval, [this] { return finished_; });
        last = finished_;
        lock.unlock();
        try {
            show(parse_steps(broker_.get("/operations/" + request_id_).data));
        } catch (const Error&) {
            // Not begun yet, refused before it began, or a broker without this extension: the
            // request itself tells how it ends.
        }
        lock.lock();
    }
    if (terminal_.is_live()) {
        terminal_.redraw("");
    }
}

void Progress::show(const std::vector<Step>& steps) {
    while (printed_ < steps.size() && is_final(steps[printed_])) {
        if (terminal_.is_live()) {
            terminal_.redraw("");
        }
        terminal_.note(step_line(steps[printed_++]));
    }
    if (terminal_.is_live() && printed_ < steps.size()) {
        terminal_.redraw(step_line(steps[printed_]));
    }
}

}  // namespace gearbox::cli
