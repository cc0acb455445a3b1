// Strong identifiers and where new ones come from.
#pragma once
#include <compare>
#include <functional>
#include <string>
#include <string_view>

namespace gearbox {

/// 24 lower-case hex digits, as OpenShift's object ids. Tag keeps the kinds apart.
template <typename Tag>
class Id {
public:
    Id() = default;
    /// Throws Error(invalid) unless the text is 24 lower-case hex digits.
    explicit Id(std::string_view text);
    const std::string& text() const { return text_; }
    explicit operator std::string_view() const { return text_; }
    bool empty() const { return text_.empty(); }
    auto operator<=>(const Id&) const = default;

private:
    std::string text_;
};

bool is_object_id(std::string_view text);
[[noreturn]] void fail_object_id(std::string_view text);

template <typename Tag>
Id<Tag>::Id(std::string_view text) : text_(text) {
    if (!is_object_id(text)) {
        fail_object_id(text);
    }
}

using ApplicationId = Id<struct ApplicationTag>;
using DomainId = Id<struct DomainTag>;
using TeamId = Id<struct TeamTag>;
using UserId = Id<struct UserTag>;
using OperationId = Id<struct OperationTag>;
/// Of the first gear of an application it is the application's id (cartridge contract, 11.1).
using GearId = Id<struct GearTag>;

/// Random bytes from getrandom(2), as lower-case hex: two digits a byte.
std::string random_hex(std::size_t bytes);
/// Random bytes as url-safe base64 without padding.
std::string random_base64(std::size_t bytes);

/// Makes new object ids; tests inject a counting one.
using IdSource = std::function<std::string()>;
inline IdSource random_ids() {
    return [] { return random_hex(12); };
}

}  // namespace gearbox
