#include "monitor.h"

#include "base/str.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <utility>

namespace gearbox::builder {

namespace {

using Moment = std::chrono::steady_clock::time_point;

Moment now() {
    return std::chrono::steady_clock::now();
}

double elapsed(Moment start) {
    return std::chrono::duration<double>(now() - start).count();
}

std::string format_seconds(double seconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%6.1f s", seconds);
    return text;
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text;
}

std::string bar(double fraction) {
    constexpr int width = 24;
    const int full = static_cast<int>(std::min(fraction, 1.0) * width);
    std::string text = "[";
    for (int i = 0; i < width; ++i) {
        text += i < full ? '#' : '.';
    }
    char percent[16];
    std::snprintf(percent, sizeof percent, "] %3.0f %%", std::min(fraction, 1.0) * 100);
    return text + percent;
}

class TextMonitor final : public Monitor {
public:
    TextMonitor(std::ostream& out, bool terminal) : out_(out), terminal_(terminal) {
        if (terminal_) {
            painter_ = std::thread([this] { paint(); });
        }
    }

    ~TextMonitor() override {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        wake_.notify_all();
        if (painter_.joinable()) {
            painter_.join();
        }
    }

    void plan(const std::vector<std::string>& stages) override { count_ = stages.size(); }

    void cached(const StageStep& step) override {
        line(str(label(step.stage), "   reused    ", step.id.substr(0, 12)));
    }

    void begin(const StageStep& step) override {
        const std::lock_guard lock(mutex_);
        running_ = label(step.stage);
        started_ = now();
        fraction_ = -1;
        detail_.clear();
    }

    void progress(double fraction, const std::string& detail) override {
        const std::lock_guard lock(mutex_);
        fraction_ = fraction;
        detail_ = detail;
    }

    void done(const StageStep& step, double seconds, std::uintmax_t bytes) override {
        times_.emplace_back(step.stage, seconds);
        line(str(running_, " ", format_seconds(seconds), "   ",
                 bytes > 0 ? format_bytes(bytes) : std::string()));
    }

    void failed(const StageFailure& failure) override {
        std::string text = running_.empty() ? "" : str(running_, "  FAILED\n");
        text += str("\nstage '", failure.stage, "' (", failure.id.substr(0, 12),
                    ") failed: ", failure.error, "\n");
        if (!failure.tail.empty()) {
            text += str("\nlast lines of ", failure.log, ":\n");
        }
        for (const std::string& tail : failure.tail) {
            text += str("  | ", tail, "\n");
        }
        if (!failure.kept.empty()) {
            text += str("\nwhat the stage left is in ", failure.kept, " until the next build\n");
        }
        line(str(text, "\nwhat to do: ", failure.hint));
    }

    void finished(const BuildResult& result) override {
        std::string text = time_table(result.seconds);
        if (result.images.empty()) {
            line(str(text, "done in ", format_seconds(result.seconds)));
            return;
        }
        text += "\n";
        for (const BuiltImage& image : result.images) {
            text += str(image.output, ": ", format_bytes(image.bytes), "\nsha256 ", image.sha256,
                        ", root tree ", result.tree.substr(0, 12), "\n");
        }
        line(str(text, "in", format_seconds(result.seconds)));
    }

private:
    // What took a second or longer, in the order of the build.
    std::string time_table(double whole) const {
        std::string text;
        for (const auto& [stage, seconds] : times_) {
            if (seconds >= 1) {
                char percent[16];
                std::snprintf(percent, sizeof percent, "%5.0f %%", seconds * 100 / whole);
                text += str("       ", padded(stage, 12), " ", format_seconds(seconds), percent, "\n");
            }
        }
        return text.empty() ? text : "\ntimes\n" + text;
    }

    std::string label(const std::string& stage) {
        ++number_;
        return str(number_ < 10 ? " " : "", number_, "/", count_, "  ", padded(stage, 12));
    }

    void line(const std::string& text) {
        const std::lock_guard lock(mutex_);
        running_.clear();
        out_ << (terminal_ ? "\r\033[K" : "") << text << std::endl;
    }

    void paint() {
        std::unique_lock lock(mutex_);
        while (!wake_.wait_for(lock, std::chrono::milliseconds(200), [this] { return stop_; })) {
            if (running_.empty()) {
                continue;
            }
            std::string text = str(running_, " ", format_seconds(elapsed(started_)), "   ");
            text += fraction_ < 0 ? std::string() : bar(fraction_) + "  ";
            out_ << "\r\033[K" << text << detail_.substr(0, 40) << std::flush;
        }
    }

    std::ostream& out_;
    const bool terminal_;
    std::size_t count_ = 0;
    std::size_t number_ = 0;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stop_ = false;
    std::string running_;
    Moment started_;
    std::vector<std::pair<std::string, double>> times_;
    double fraction_ = -1;
    std::string detail_;
    std::thread painter_;
};

class JsonMonitor final : public Monitor {
public:
    explicit JsonMonitor(std::ostream& out) : out_(out) {}

    void plan(const std::vector<std::string>& stages) override {
        write({{"event", "plan"}, {"stages", stages}});
    }
    void cached(const StageStep& step) override {
        write({{"event", "cached"}, {"stage", step.stage}, {"id", step.id}});
    }
    void begin(const StageStep& step) override {
        stage_ = step.stage;
        write({{"event", "begin"},
               {"stage", step.stage},
               {"summary", step.summary},
               {"id", step.id}});
    }
    void progress(double fraction, const std::string& detail) override {
        if (elapsed(last_) < 0.2) {
            return;
        }
        last_ = now();
        Json event{{"event", "progress"}, {"stage", stage_}, {"detail", detail}};
        event["fraction"] = fraction < 0 ? Json() : Json(std::min(fraction, 1.0));
        write(event);
    }
    void done(const StageStep& step, double seconds, std::uintmax_t bytes) override {
        write({{"event", "done"}, {"stage", step.stage}, {"seconds", seconds}, {"bytes", bytes}});
    }
    void failed(const StageFailure& failure) override {
        write({{"event", "failed"},
               {"stage", failure.stage},
               {"id", failure.id},
               {"error", failure.error},
               {"hint", failure.hint},
               {"log", failure.log},
               {"tail", failure.tail},
               {"kept", failure.kept}});
    }
    void finished(const BuildResult& result) override {
        Json event = to_json(result);
        event["event"] = "finished";
        write(event);
    }

private:
    void write(const Json& event) { out_ << to_text(event) << std::endl; }

    std::ostream& out_;
    std::string stage_;
    Moment last_{};
};

}  // namespace

std::unique_ptr<Monitor> make_text_monitor(std::ostream& out, bool terminal) {
    return std::make_unique<TextMonitor>(out, terminal);
}

std::unique_ptr<Monitor> make_json_monitor(std::ostream& out) {
    return std::make_unique<JsonMonitor>(out);
}

Json to_json(const BuildResult& result) {
    Json images = Json::array();
    for (const BuiltImage& image : result.images) {
        images.push_back({{"format", image.format},
                          {"output", image.output},
                          {"sha256", image.sha256},
                          {"bytes", image.bytes}});
    }
    const BuiltImage first = result.images.empty() ? BuiltImage{} : result.images.front();
    return {{"output", first.output},    {"sha256", first.sha256}, {"bytes", first.bytes},
            {"seconds", result.seconds}, {"tree", result.tree},    {"images", images}};
}

std::string format_bytes(std::uintmax_t bytes) {
    char text[32];
    const double megabytes = static_cast<double>(bytes) / 1e6;
    std::snprintf(text, sizeof text, megabytes < 10 ? "%.1f MB" : "%.0f MB", megabytes);
    return text;
}

}  // namespace gearbox::builder
