// Snapshots over the API: the same commands in the gear as over ssh, with our ends of their pipes.
#include "broker/applications.h"

#include <algorithm>
#include <memory>

namespace gearbox {

namespace {

constexpr std::size_t piece_bytes = 64 * 1024;
constexpr std::int64_t mebibyte = 1024 * 1024;

std::string read_piece(GearStream& stream) {
    std::string piece(piece_bytes, '\0');
    piece.resize(stream.read(piece.data(), piece.size()));
    return piece;
}

[[noreturn]] void refuse_with(const std::string& what, const GearStream& stream, int status) {
    refuse(failure_of(status), str(what, ":\n", stream.said()), exit_code::unspecified);
}

/// Of one archive that is read.
struct Saving {
    std::unique_ptr<GearStream> stream;
    std::string first;
};

}  // namespace

std::unique_ptr<GearStream> ApplicationService::open_session(const Principal& who, const Application& application,
                                                             const std::string& command) const {
    Application current;
    {
        const auto lock = lock_ready(application, current);
    }
    return core_.sessions.open(current.gear(), command, who.user.login.text());
}

Pieces ApplicationService::save_snapshot(const Principal& who, const Application& application) {
    const auto saving = std::make_shared<Saving>();
    saving->stream = open_session(who, application, "snapshot");
    saving->first = read_piece(*saving->stream);
    if (saving->first.empty()) {
        const int status = saving->stream->finish();
        refuse_with("There is no snapshot", *saving->stream, status);
    }
    return [saving] {
        std::string piece = saving->first.empty() ? read_piece(*saving->stream) : std::move(saving->first);
        saving->first.clear();
        if (const int status = piece.empty() ? saving->stream->finish() : 0; status != 0) {
            refuse_with("The snapshot is not whole", *saving->stream, status);
        }
        return piece;
    };
}

void ApplicationService::restore_snapshot(const Principal& who, const Application& application,
                                          const PieceReader& archive) {
    const NodeStorage storage = core_.agent.storage();
    const std::int64_t most = std::max<std::int64_t>(storage.free_mb - storage.reserve_mb, 0);
    const auto stream = open_session(who, application, "restore INCLUDE_GIT");
    std::int64_t taken = 0;
    bool is_taken = true;
    archive([&](std::string_view bytes) {
        taken += static_cast<std::int64_t>(bytes.size());
        if (taken / mebibyte > most) {
            refuse(ErrorKind::quota, str("The archive is larger than the ", most, " MB that this host has room for"),
                   exit_code::storage);
        }
        is_taken = is_taken && stream->write(bytes);
        return is_taken;
    });
    if (const int status = stream->finish(); status != 0) {
        refuse_with("The snapshot is not restored", *stream, status);
    }
}

}  // namespace gearbox
