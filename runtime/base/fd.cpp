#include "base/fd.h"

#include "base/error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace gearbox {

void UniqueFd::reset(int fd) {
    if (fd_ >= 0) {
        ::close(fd_);
    }
    fd_ = fd;
}

Pipe make_pipe() {
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC), "creating a pipe");
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::pair<UniqueFd, UniqueFd> make_socket_pair() {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "creating a socket pair");
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string read_all(int fd, std::size_t limit) {
    // Room for what a file says it has, and for noticing its end. Others, and files of /proc, say nothing.
    struct stat info {};
    const bool has_size = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
    std::string out(has_size ? std::min(static_cast<std::size_t>(info.st_size), limit) + 1 : 16384, '\0');
    std::size_t used = 0;
    for (;;) {
        const ssize_t got = ::read(fd, out.data() + used, out.size() - used);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        check(got, "reading");
        if (got == 0) {
            out.resize(used);
            if (!has_size) {
                out.shrink_to_fit();
            }
            return out;
        }
        used += static_cast<std::size_t>(got);
        if (used > limit) {
            fail(ErrorKind::invalid, "more than ", limit, " bytes");
        }
        if (used == out.size()) {
            out.resize(2 * used);
        }
    }
}

void write_all(int fd, std::string_view data) {
    while (!data.empty()) {
        const ssize_t put = ::write(fd, data.data(), data.size());
        if (put < 0 && errno == EINTR) {
            continue;
        }
        check(put, "writing");
        data.remove_prefix(static_cast<std::size_t>(put));
    }
}

UniqueFd memfd_from(const std::string& name, std::string_view data) {
    UniqueFd fd(check(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING),
                      "creating the memory file '", name, "'"));
    write_all(fd.get(), data);
    check(::lseek(fd.get(), 0, SEEK_SET), "rewinding the memory file '", name, "'");
    constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    check(::fcntl(fd.get(), F_ADD_SEALS, seals), "sealing the memory file '", name, "'");
    return fd;
}

}  // namespace gearbox
