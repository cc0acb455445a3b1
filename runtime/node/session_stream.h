// A session of this process itself (sessions.h): its other end is a GearStream instead of gear-shell.
#pragma once
#include "base/fd.h"
#include "node/gear_stream.h"
#include "node/sessions.h"

#include <chrono>
#include <exception>
#include <future>
#include <optional>
#include <string>
#include <thread>

namespace gearbox {

class SessionStream final : public GearStream {
public:
    SessionStream(Sessions& sessions, const GearId& gear, const std::string& command, const std::string& login);
    ~SessionStream() override;
    SessionStream(const SessionStream&) = delete;
    SessionStream& operator=(const SessionStream&) = delete;

    std::size_t read(char* to, std::size_t most) override;
    bool write(std::string_view bytes) override;
    int finish() override;
    std::string said() const override { return said_; }

private:
    void serve(Sessions& sessions, const GearId& gear, const std::string& command, const std::string& login);
    void take(const Json& message, const std::vector<int>& descriptors);
    /// Waits until the session is over, it has said something, or one of the two is ready. True: it is over.
    bool wait(bool for_output, bool for_input);
    void collect(UniqueFd& from);

    UniqueFd in_;   ///< of the command; to be written
    UniqueFd out_;
    UniqueFd err_;
    bool is_output_ready_ = false;
    bool is_input_ready_ = false;
    std::string said_;
    const std::chrono::steady_clock::time_point end_;
    UniqueFd ours_;    ///< closed: we have gone
    UniqueFd theirs_;  ///< closed: the session is over
    std::promise<void> started_;
    bool is_started_ = false;     ///< of the thread
    std::optional<int> status_;   ///< of the thread until it is joined
    std::exception_ptr failure_;  ///< likewise
    std::thread thread_;
};

}  // namespace gearbox
