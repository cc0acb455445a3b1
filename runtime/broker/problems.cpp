#include "broker/problems.h"

namespace gearbox {

RequestError::RequestError(ErrorKind kind, std::vector<Problem> problems)
    : Error(kind, problems.front().text), problems_(std::move(problems)) {}

void refuse(ErrorKind kind, std::string text, int code, std::string field) {
    throw RequestError(kind, {{std::move(text), code, std::move(field)}});
}

std::string shown(const std::string& text) {
    constexpr std::size_t longest = 64;
    std::string out;
    for (const char c : text.substr(0, longest)) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7f ? '?' : c;
    }
    return text.size() > longest ? out + "…" : out;
}

}  // namespace gearbox
