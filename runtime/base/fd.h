// Owned file descriptors, and whole reads and writes on them. Everything here opens CLOEXEC.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace gearbox {

/// Owns one descriptor; closes it when destroyed.
class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other) {
            reset(std::exchange(other.fd_, -1));
        }
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    /// Gives the descriptor away: the caller closes it.
    int release() { return std::exchange(fd_, -1); }
    void reset(int fd = -1);

private:
    int fd_ = -1;
};

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};

Pipe make_pipe();

/// A connected pair of Unix stream sockets.
std::pair<UniqueFd, UniqueFd> make_socket_pair();

/// Reads until end of file. Throws Error(invalid) when more than limit bytes come.
std::string read_all(int fd, std::size_t limit = 64 * 1024 * 1024);

/// Writes everything; throws SysError (EPIPE included: callers ignore SIGPIPE).
void write_all(int fd, std::string_view data);

/// A sealed anonymous file that holds data, positioned at its start (memfd_create(2)).
UniqueFd memfd_from(const std::string& name, std::string_view data);

}  // namespace gearbox
