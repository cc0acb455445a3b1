// Live progress of an operation that a request has started: polled beside it, in a second thread.
#pragma once
#include "cli/broker_client.h"
#include "cli/terminal.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gearbox::cli {

struct Step {
    std::string name;
    std::string title;
    std::string state;  ///< pending, running, done, failed, undone
    std::int64_t elapsed_ms = 0;
};

/// data of GET /operations/ID. Throws Error(invalid).
std::vector<Step> parse_steps(const Json& data);

/// The line of one step: "  done     making the gear   1.2 s".
std::string step_line(const Step& step);

/// Shows the steps from construction to destruction. On a terminal the running step's line is
/// redrawn; elsewhere each finished step is one line.
class Progress {
public:
    Progress(Terminal& terminal, BrokerClient broker, std::string request_id);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();

private:
    void poll();
    void show(const std::vector<Step>& steps);

    Terminal& terminal_;
    BrokerClient broker_;
    std::string request_id_;
    std::size_t printed_ = 0;
    bool finished_ = false;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::thread thread_;
};

}  // namespace gearbox::cli
