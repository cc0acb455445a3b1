#include "sys/gear_filter.h"

#include "base/error.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

namespace gearbox::sys {

namespace {

/// Before the programs: how many instructions each has.
using Lengths = std::array<std::uint32_t, 2>;

void install(std::vector<sock_filter>& code, std::size_t from, std::size_t count) {
    sock_fprog program{};
    program.len = static_cast<unsigned short>(count);
    program.filter = code.data() + from;
    check(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "installing a system call filter");
}

}  // namespace

std::string pack_filters(std::string_view first, std::string_view second) {
    const Lengths lengths = {static_cast<std::uint32_t>(first.size() / sizeof(sock_filter)),
                             static_cast<std::uint32_t>(second.size() / sizeof(sock_filter))};
    std::string out(sizeof lengths, '\0');
    std::memcpy(out.data(), lengths.data(), sizeof lengths);
    out += first;
    out += second;
    return out;
}

void install_filters(int fd) {
    // Not read(): the offset is shared by everybody who was handed this file.
    Lengths lengths{};
    const auto wrong = []() { fail(ErrorKind::invalid, "the file of system call filters is none"); };
    if (::pread(fd, lengths.data(), sizeof lengths, 0) != static_cast<ssize_t>(sizeof lengths)) {
        wrong();
    }
    std::vector<sock_filter> code;
    for (const std::uint32_t length : lengths) {
        if (length == 0 || length > BPF_MAXINSNS) {
            wrong();
        }
        code.resize(code.size() + length);
    }
    const std::size_t bytes = code.size() * sizeof(sock_filter);
    if (::pread(fd, code.data(), bytes, sizeof lengths) != static_cast<ssize_t>(bytes)) {
        wrong();
    }
    install(code, 0, lengths[0]);
    install(code, lengths[0], lengths[1]);
}

}  // namespace gearbox::sys
