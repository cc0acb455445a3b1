// Which texts are acceptable as names; used wherever a recipe brings one in from outside.
#pragma once
#include <optional>
#include <string>

namespace gearbox::builder {

bool is_package_name(const std::string& text);   ///< Debian policy 5.6.1, "=version" allowed
bool is_account_name(const std::string& text);   ///< as useradd takes it
bool is_login(const std::string& text);          ///< as the broker takes it
bool is_host_name(const std::string& text);      ///< labels and dots
bool is_unit_name(const std::string& text);      ///< systemd unit with or without its suffix
bool is_time_zone(const std::string& text);      ///< a relative path below /usr/share/zoneinfo
bool is_volume_id(const std::string& text);      ///< upper case letters, digits and '_', up to 32
bool is_url(const std::string& text);            ///< http, https or file
bool is_locale(const std::string& text);         ///< "C.UTF-8", "de_DE.UTF-8", "ca_ES@valencia"
bool is_mac_address(const std::string& text);    ///< "52:54:00:12:34:56"
std::optional<int> prefix_of_netmask(const std::string& text);  ///< 24 for "255.255.255.0"
bool is_address(const std::string& text);        ///< IPv4 or IPv6, with or without "/PREFIX"
bool is_mount_options(const std::string& text);  ///< of one field of /etc/fstab
bool is_simple_word(const std::string& text);    ///< letters, digits and "._@-"

}  // namespace gearbox::builder
