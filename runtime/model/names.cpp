#include "model/names.h"

#include <algorithm>
#include <array>

namespace gearbox {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

template <typename Allowed>
bool fits(std::string_view text, std::size_t longest, Allowed allowed) {
    return !text.empty() && text.size() <= longest &&
           std::all_of(text.begin(), text.end(), allowed);
}

// Ends that a path would lose to a format.
bool looks_like_format(std::string_view text) {
    constexpr std::array<std::string_view, 6> formats = {".json", ".xml",  ".yml",
                                                         ".yaml", ".html", ".xhtml"};
    return std::any_of(formats.begin(), formats.end(), [&](auto f) { return text.ends_with(f); });
}

bool is_alphanumeric(char c) { return is_letter(c) || is_digit(c); }

bool is_version(std::string_view text) {
    return !text.empty() && text.front() != '.' && text.back() != '.' &&
           text.find("..") == std::string_view::npos &&
           std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; });
}

}  // namespace

std::string to_lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

std::string without_version(std::string_view full_name) {
    return std::string(full_name.substr(0, full_name.rfind('-')));
}

template <>
std::optional<ApplicationName> ApplicationName::parse(std::string_view text) {
    if (!fits(text, 32, is_alphanumeric)) {
        return std::nullopt;
    }
    return ApplicationName(to_lower(text));
}

template <>
std::optional<Namespace> Namespace::parse(std::string_view text) {
    if (!fits(text, 16, is_alphanumeric)) {
        return std::nullopt;
    }
    return Namespace(to_lower(text));
}

template <>
std::optional<Login> Login::parse(std::string_view text) {
    const auto allowed = [](char c) { return is_word(c) || c == '.' || c == '@' || c == '-'; };
    if (!fits(text, 255, allowed) || text.front() == '.' || text.front() == '-') {
        return std::nullopt;
    }
    return Login(std::string(text));
}

template <>
std::optional<CartridgeName> CartridgeName::parse(std::string_view text) {
    const auto hyphen = text.rfind('-');
    if (text.size() > 64 || hyphen == std::string_view::npos) {
        return std::nullopt;
    }
    const auto base = [](char c) { return is_word(c) || c == '-' || c == '.'; };
    if (!fits(text.substr(0, hyphen), 64, base) || text.front() == '.' || !is_version(text.substr(hyphen + 1))) {
        return std::nullopt;
    }
    return CartridgeName(std::string(text));
}

template <>
std::optional<TeamName> TeamName::parse(std::string_view text) {
    // UTF-8: bytes that continue a character do not count as another one.
    const auto length = std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    });
    const bool has_control = std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (length < 2 || length > 250 || has_control) {
        return std::nullopt;
    }
    return TeamName(std::string(text));
}

template <>
std::optional<VariableName> VariableName::parse(std::string_view text) {
    if (!fits(text, 128, is_word) || is_digit(text.front())) {
        return std::nullopt;
    }
    return VariableName(std::string(text));
}

template <>
std::optional<KeyName> KeyName::parse(std::string_view text) {
    const auto allowed = [](char c) {
        return is_word(c) || c == '.' || c == '-' || c == '@' || c == '+';
    };
    if (!fits(text, 256, allowed) || text.front() == '.' || looks_like_format(text)) {
        return std::nullopt;
    }
    return KeyName(std::string(text));
}

template <>
std::optional<AliasName> AliasName::parse(std::string_view text) {
    const std::string name = to_lower(text);
    const auto allowed = [](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; };
    // [a-z0-9]+([.]?[-a-z0-9]+)+: two characters at least, no empty label, a letter somewhere in the
    // last one, so that no address fits.
    const auto last = name.rfind('.');
    const bool is_address =
        std::all_of(name.begin(), name.end(), [](char c) { return is_digit(c) || c == '.'; });
    if (!fits(name, 255, allowed) || name.size() < 2 || !is_alphanumeric(name.front()) ||
        name.back() == '.' || name.find("..") != std::string::npos || is_address ||
        last == std::string::npos || looks_like_format(name)) {
        return std::nullopt;
    }
    return AliasName(name);
}

}  // namespace gearbox
