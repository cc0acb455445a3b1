// Names that users choose. A value of one of these types is valid: parse once at the edge, never
// re-check. Rules: broker contract, section 23.
#pragma once
#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gearbox {

namespace detail {
/// A lower-case text that its static parse() has approved.
template <typename Tag>
class Name {
public:
    Name() = default;
    /// The name, or empty if the text breaks the rule.
    static std::optional<Name> parse(std::string_view text);
    const std::string& text() const { return text_; }
    auto operator<=>(const Name&) const = default;

private:
    explicit Name(std::string text) : text_(std::move(text)) {}
    std::string text_;
};
}  // namespace detail

/// [A-Za-z0-9]{1,32}, stored lower case.
using ApplicationName = detail::Name<struct ApplicationNameTag>;
/// A domain's name, [A-Za-z0-9]{1,16}, stored lower case, unique over all users.
using Namespace = detail::Name<struct NamespaceTag>;
/// [A-Za-z0-9_.@-]{1,255}, not starting with a dot or hyphen; case kept.
using Login = detail::Name<struct LoginTag>;
/// A full cartridge name such as php-8.4: [\w-]+-D(.D)* as in section 23, at most 64 characters.
using CartridgeName = detail::Name<struct CartridgeNameTag>;
/// [A-Za-z_]\w*, at most 128: an environment variable; case kept.
using VariableName = detail::Name<struct VariableNameTag>;
/// [\w.\-@+]{1,256}, no leading dot, no .json/.xml/.yml/.yaml/.html/.xhtml ending; case kept.
using KeyName = detail::Name<struct KeyNameTag>;

/// A team's name: 2 to 250 characters, none of them a control character; case kept.
using TeamName = detail::Name<struct TeamNameTag>;

/// A host name for an application, as section 18 of the broker contract allows: dotted, lower case,
/// at most 255 characters, no IPv4 address, not ending like a format (.json …).
using AliasName = detail::Name<struct AliasNameTag>;

template <> std::optional<ApplicationName> ApplicationName::parse(std::string_view text);
template <> std::optional<Namespace> Namespace::parse(std::string_view text);
template <> std::optional<Login> Login::parse(std::string_view text);
template <> std::optional<CartridgeName> CartridgeName::parse(std::string_view text);
template <> std::optional<VariableName> VariableName::parse(std::string_view text);
template <> std::optional<KeyName> KeyName::parse(std::string_view text);
template <> std::optional<TeamName> TeamName::parse(std::string_view text);
template <> std::optional<AliasName> AliasName::parse(std::string_view text);

std::string to_lower(std::string_view text);

/// "acme-redis" of a cartridge's full name "acme-redis-2.6".
std::string without_version(std::string_view full_name);

}  // namespace gearbox
