#include "node/session_stream.h"

#include "base/error.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

namespace gearbox {

namespace {

constexpr std::chrono::hours longest{1};
constexpr std::size_t most_said = 4096;

UniqueFd own_copy(int fd) {
    UniqueFd copy(check(::fcntl(fd, F_DUPFD_CLOEXEC, 0), "taking a descriptor"));
    check(::fcntl(copy.get(), F_SETFL, O_NONBLOCK), "preparing a pipe");
    return copy;
}

bool is_for_later(ssize_t result) {
    return result < 0 && (errno == EAGAIN || errno == EINTR);
}

}  // namespace

SessionStream::SessionStream(Sessions& sessions, const GearId& gear, const std::string& command, const std::string& login)
    : end_(std::chrono::steady_clock::now() + longest) {
    std::tie(ours_, theirs_) = make_socket_pair();
    auto started = started_.get_future();
    thread_ = std::thread([this, &sessions, gear, command, login] { serve(sessions, gear, command, login); });
    try {
        started.get();
    } catch (const Error&) {
        thread_.join();
        throw;
    }
}

SessionStream::~SessionStream() {
    // Before its input ends: a part of that must not pass for the whole.
    ours_.reset();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void SessionStream::serve(Sessions& sessions, const GearId& gear, const std::string& command, const std::string& login) {
    try {
        sessions.serve(gear, command, login, {theirs_.get(), [this](const Json& message, const auto& descriptors) {
                                                  take(message, descriptors);
                                              }});
    } catch (const Error&) {
        failure_ = std::current_exception();
        if (!is_started_) {
            started_.set_exception(failure_);
        }
    }
    // Not closed: the number would be somebody else's while the other thread still looks.
    ::shutdown(theirs_.get(), SHUT_RDWR);
}

// The first message has the ends of the pipes, the last one the exit status.
void SessionStream::take(const Json& message, const std::vector<int>& descriptors) {
    if (descriptors.size() == 3) {
        out_ = own_copy(descriptors[1]);
        err_ = own_copy(descriptors[2]);
        in_ = own_copy(descriptors[0]);
        is_started_ = true;
        started_.set_value();
    } else if (const auto status = find<int>(message, "exit")) {
        status_ = *status;
    }
}

bool SessionStream::wait(bool for_output, bool for_input) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
        fail(ErrorKind::unavailable, "the command in the gear takes longer than an hour");
    }
    pollfd fds[4] = {{ours_.get(), POLLIN, 0},
                     {out_.get(), static_cast<short>(for_output ? POLLIN : 0), 0},
                     {err_.get(), POLLIN, 0},
                     {in_.get(), static_cast<short>(for_input ? POLLOUT : 0), 0}};
    for (pollfd& fd : fds) {
        fd.fd = fd.events == 0 ? -1 : fd.fd;  // else its end alone would be news again and again
    }
    if (::poll(fds, 4, static_cast<int>(left.count())) < 0 && errno != EINTR) {
        fail_errno("waiting for a session");
    }
    is_output_ready_ = fds[1].revents != 0;
    is_input_ready_ = fds[3].revents != 0;
    if (fds[2].revents != 0) {
        collect(err_);
    }
    return fds[0].revents != 0;
}

// Reads what is there: its end only counts when it is said.
void SessionStream::collect(UniqueFd& from) {
    char buffer[4096];
    const ssize_t got = from ? ::read(from.get(), buffer, sizeof buffer) : -1;
    if (got > 0) {
        said_.append(buffer, static_cast<std::size_t>(got));
        said_.erase(0, said_.size() - std::min(said_.size(), most_said));
    } else if (from && !is_for_later(got)) {
        from.reset();
    }
}

std::size_t SessionStream::read(char* to, std::size_t most) {
    while (out_) {
        const bool is_over = wait(true, false);
        if (!is_output_ready_ && !is_over) {
            continue;
        }
        const ssize_t got = ::read(out_.get(), to, most);
        if (got > 0) {
            return static_cast<std::size_t>(got);
        }
        if (!is_for_later(got) || is_over) {
            out_.reset();
        }
    }
    return 0;
}

bool SessionStream::write(std::string_view bytes) {
    while (!bytes.empty() && in_) {
        const bool is_over = wait(true, true);
        if (is_output_ready_) {
            collect(out_);
        }
        if (is_over) {
            return false;
        }
        if (!is_input_ready_) {
            continue;
        }
        const ssize_t put = ::write(in_.get(), bytes.data(), bytes.size());
        if (put < 0 && !is_for_later(put)) {
            in_.reset();
        } else if (put > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(put));
        }
    }
    return bytes.empty();
}

int SessionStream::finish() {
    in_.reset();
    while (!wait(true, false)) {
        if (is_output_ready_) {
            collect(out_);
        }
    }
    thread_.join();
    for (UniqueFd* stream : {&out_, &err_}) {
        // What was written before the end; the rest is not waited for.
        for (int i = 0; i < 16 && *stream; ++i) {
            collect(*stream);
        }
    }
    if (failure_) {
        std::rethrow_exception(failure_);
    }
    return status_.value_or(255);
}

}  // namespace gearbox
