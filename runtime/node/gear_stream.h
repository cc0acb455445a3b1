// A command in a gear whose input and output belong to somebody else: what the broker needs of sessions.
#pragma once
#include "base/error.h"
#include "base/id.h"

#include <sysexits.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace gearbox {

/// For one thread at a time. What it says comes from the gear. Takes an hour at most; then its calls throw
/// Error(unavailable).
class GearStream {
public:
    /// Ends the command if it still runs, and waits until what it had begun is put right.
    virtual ~GearStream() = default;

    /// Some bytes of its output; 0 at the end.
    virtual std::size_t read(char* to, std::size_t most) = 0;
    /// Gives it input. False: it takes no more.
    virtual bool write(std::string_view bytes) = 0;
    /// Ends its input and waits for its end. The exit status; 128 + signal number when killed.
    virtual int finish() = 0;
    /// The last KiB of what it said on standard error, and of output that nobody has read.
    virtual std::string said() const = 0;
};

/// What an exit status other than 0 means for who asked. EX_TEMPFAIL: the application is busy (GearCommands::run()).
inline ErrorKind failure_of(int status) { return status == EX_TEMPFAIL ? ErrorKind::unavailable : ErrorKind::invalid; }

/// Commands of ssh sessions for those who come another way.
class GearSessions {
public:
    virtual ~GearSessions() = default;
    /// Waits for the application's lock, and lets go of it: the command takes it when it needs it. Throws Error when
    /// it cannot be started, Error(unavailable) after broker.lock_wait_seconds.
    virtual std::unique_ptr<GearStream> open(const GearId& gear, const std::string& command, const std::string& login) = 0;
};

}  // namespace gearbox
