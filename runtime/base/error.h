// The one exception type, and the helpers that give it a sentence.
#pragma once
#include "base/str.h"

#include <cerrno>
#include <exception>
#include <string>
#include <utility>

namespace gearbox {

/// What went wrong, as far as a caller can act on it. REST turns it into a status (rest/problem.cpp).
enum class ErrorKind {
    invalid,          ///< the request or a file is wrong; the text says what to change
    unauthenticated,  ///< nobody known
    forbidden,        ///< known, but may not
    not_found,
    conflict,     ///< the name or thing is already there, or busy
    quota,        ///< a limit of the user or the machine is reached
    unavailable,  ///< something needed is not there now; trying again later may help
    internal,     ///< a bug or a broken machine
};

const char* name_of(ErrorKind kind);

/// An unexpected outcome: what was being done, then what went wrong, in lower case without a full
/// stop. Expected outcomes are values (std::optional, enum), never an Error.
class Error : public std::exception {
public:
    Error(ErrorKind kind, std::string text) : kind_(kind), text_(std::move(text)) {}

    ErrorKind kind() const { return kind_; }
    const char* what() const noexcept override { return text_.c_str(); }
    const std::string& text() const { return text_; }

    /// Puts what was being done before the text: "creating gear 'a1': " + text.
    void push(const std::string& doing) { text_ = doing + ": " + text_; }

private:
    ErrorKind kind_;
    std::string text_;
};

/// A failed system call; keeps errno for the rare caller that tests it.
class SysError : public Error {
public:
    SysError(int code, std::string doing);
    int code() const { return code_; }

private:
    int code_;
};

template <typename... Parts>
[[noreturn]] void fail(ErrorKind kind, const Parts&... parts) {
    throw Error(kind, str(parts...));
}

template <typename... Parts>
[[noreturn]] void fail_errno(const Parts&... parts) {
    const int code = errno;
    throw SysError(code, str(parts...));
}

/// Returns rc if it is not negative, throws SysError with errno otherwise. The context parts are
/// lvalues and literals, never calls: a call could change errno before it is read.
template <typename Result, typename... Parts>
Result check(Result rc, const Parts&... parts) {
    if (rc < 0) {
        fail_errno(parts...);
    }
    return rc;
}

/// Runs body; an Error on its way out is prefixed with the context.
template <typename Body, typename... Parts>
auto while_doing(Body&& body, const Parts&... parts) -> decltype(body()) {
    try {
        return body();
    } catch (Error& error) {
        error.push(str(parts...));
        throw;
    }
}

}  // namespace gearbox
