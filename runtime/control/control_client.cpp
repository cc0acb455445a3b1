#include "control/control_client.h"

#include "base/error.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace gearbox {

namespace {

ErrorKind parse_kind(const std::string& word) {
    constexpr std::array kinds = {ErrorKind::invalid,    ErrorKind::unauthenticated,
                                  ErrorKind::forbidden,  ErrorKind::not_found,
                                  ErrorKind::conflict,   ErrorKind::quota,
                                  ErrorKind::unavailable};
    for (const ErrorKind kind : kinds) {
        if (word == name_of(kind)) {
            return kind;
        }
    }
    return ErrorKind::internal;
}

std::vector<UniqueFd> take_descriptors(msghdr& header) {
    std::vector<UniqueFd> out;
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr;
         part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
            out.emplace_back(fd);
        }
    }
    return out;
}

}  // namespace

UniqueFd connect_control(const std::string& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket.size() >= sizeof address.sun_path) {
        fail(ErrorKind::invalid, "the socket path '", socket, "' is too long");
    }
    std::memcpy(address.sun_path, socket.data(), socket.size());
    UniqueFd fd(check(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), "creating a socket"));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
        const char* const why = std::strerror(errno);
        fail(ErrorKind::unavailable, "gearboxd does not answer at '", socket, "': ", why);
    }
    return fd;
}

void send_control(int connection, const std::string& verb, const Json& args) {
    const std::string packet = to_text(Json{{"verb", verb}, {"args", args}});
    check(::send(connection, packet.data(), packet.size(), MSG_NOSIGNAL), "sending the request");
}

ControlReply receive_control(int connection) {
    // One byte more than the server sends tells a truncated packet from a full one.
    std::string packet(64 * 1024 + 1, '\0');
    alignas(cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))];
    iovec part{packet.data(), packet.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    ssize_t got = -1;
    do {
        got = ::recvmsg(connection, &header, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    check(got, "receiving a reply");
    ControlReply reply;
    reply.descriptors = take_descriptors(header);
    if (got == 0) {
        fail(ErrorKind::unavailable, "gearboxd closed the connection");
    }
    reply.message = parse_json(std::string_view(packet).substr(0, static_cast<std::size_t>(got)));
    if (const auto error = find<Json>(reply.message, "error")) {
        throw Error(parse_kind(take<std::string>(*error, "kind")),
                    take<std::string>(*error, "text"));
    }
    return reply;
}

Json call(const std::string& socket, const std::string& verb, const Json& args) {
    const UniqueFd connection = connect_control(socket);
    send_control(connection.get(), verb, args);
    return take<Json>(receive_control(connection.get()).message, "result");
}

}  // namespace gearbox
