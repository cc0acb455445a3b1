#include "base/error.h"

#include <cstring>

namespace gearbox {

const char* name_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::invalid: return "invalid";
        case ErrorKind::unauthenticated: return "unauthenticated";
        case ErrorKind::forbidden: return "forbidden";
        case ErrorKind::not_found: return "not_found";
        case ErrorKind::conflict: return "conflict";
        case ErrorKind::quota: return "quota";
        case ErrorKind::unavailable: return "unavailable";
        case ErrorKind::internal: return "internal";
    }
    return "internal";
}

SysError::SysError(int code, std::string doing)
    : Error(ErrorKind::internal, std::move(doing) + ": " + std::strerror(code)), code_(code) {}

}  // namespace gearbox
