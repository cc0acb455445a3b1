#include "names.h"

#include <regex>

namespace gearbox::builder {

namespace {

bool fits(const std::string& text, const char* pattern) {
    return text.size() <= 255 && std::regex_match(text, std::regex(pattern));
}

}  // namespace

bool is_package_name(const std::string& text) {
    return fits(text, "[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9.+:~-]+)?");
}

bool is_account_name(const std::string& text) {
    return fits(text, "[a-z_][a-z0-9_-]{0,30}");
}

bool is_login(const std::string& text) {
    return fits(text, "[A-Za-z0-9_@][A-Za-z0-9_.@-]*");
}

bool is_host_name(const std::string& text) {
    return fits(text, "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*");
}

bool is_unit_name(const std::string& text) {
    return fits(text, "[A-Za-z0-9][A-Za-z0-9_.@:-]*");
}

bool is_time_zone(const std::string& text) {
    return fits(text, "[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*");
}

bool is_volume_id(const std::string& text) {
    return fits(text, "[A-Z0-9_]{1,32}");
}

bool is_url(const std::string& text) {
    return fits(text, "(https?|file)://[^ \"'\\\\]+");
}

bool is_locale(const std::string& text) {
    return fits(text, "[A-Za-z]+(_[A-Z]+)?([.][A-Za-z0-9-]+)?(@[a-z]+)?");
}

bool is_address(const std::string& text) {
    return fits(text, "[0-9a-fA-F.:]+(/[0-9]{1,3})?");
}

bool is_mount_options(const std::string& text) {
    return fits(text, "[^ \\t#]+");
}

bool is_simple_word(const std::string& text) {
    return fits(text, "[A-Za-z0-9][A-Za-z0-9._@-]*");
}

}  // namespace gearbox::builder
