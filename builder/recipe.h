// What an image is to be: the meaning of a kickstart recipe. Pure values; parsing and checking
// only.
#pragma once
#include "kickstart.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gearbox::builder {

struct User {
    std::string name;
    std::string comment;
    std::string shell = "/bin/bash";
    std::vector<std::string> groups;
    std::optional<int> uid;
};

struct Firewall {
    bool enabled = false;
    std::vector<std::string> ports;  ///< "443:tcp"
};

struct Network {
    std::string hostname = "gearbox";
    std::string bootproto = "dhcp";
    std::string device = "link";  ///< "link": every Ethernet device
    std::string address;          ///< with prefix length, for bootproto static
    std::string gateway;
};

/// A mount besides the root: a line of /etc/fstab. Only tmpfs, a live image has no disk.
struct Mount {
    std::string point;
    std::string type;
    std::string options;
};

struct Repository {
    std::string name;
    std::string suite;
    std::vector<std::string> components;
    std::string baseurl;   ///< empty: the build host's own mirror
    bool install = false;  ///< stays in the image's apt sources
    Location at;
};

struct Script {
    std::string interpreter = "/bin/sh";
    bool in_chroot = true;
    std::string body;
    Location at;
};

/// `%addon gearbox`.
struct ImageSettings {
    std::string title = "Gearbox";
    std::string volume_id = "GEARBOX";
    std::string cloud_domain = "gearbox.localhost";
    std::string kernel = "linux-image-amd64";
    int compression = 3;  ///< zstd level of the root image
    std::int64_t source_date_epoch = 1767225600;
    int policy_version = 33;
    int disk_size = 8192;                                  ///< MiB, of disk images
    std::vector<std::string> formats;                      ///< to make if nobody says others
    std::vector<std::string> exclude;                      ///< paths that dpkg does not unpack
    std::vector<std::string> include;                      ///< exceptions from exclude
    std::map<std::string, std::filesystem::path> sources;  ///< overlay, initramfs, boot_menu, …
    std::vector<std::string> cartridges;                   ///< of ours, on offer; empty: all
    std::vector<std::string> quickstarts;                  ///< the same of these
    /// What gearboxd.toml is to say of a gear size.
    std::map<std::string, std::map<std::string, std::int64_t>> gear_sizes;
    std::string default_gear_size = "small";  ///< of applications that ask for none
    std::vector<std::string> tenants;  ///< logins that get an account at first boot
    bool name_server = true;           ///< for the applications, at each address of the machine
    bool mdns = true;                  ///< for the machine itself
    bool open_accounts = false;        ///< a login that is not known yet gets one
};

struct Recipe {
    std::filesystem::path path;
    std::vector<std::filesystem::path> files;

    std::string language = "C.UTF-8";
    std::string keyboard = "us";
    std::string timezone = "Etc/UTC";
    bool hardware_clock_utc = true;
    std::string selinux = "enforcing";
    bool root_locked = false;
    std::vector<User> users;
    std::vector<std::string> services_enabled;
    std::vector<std::string> services_disabled;
    Firewall firewall;
    Network network;
    std::string boot_arguments;
    int boot_timeout = 3;
    std::vector<Mount> mounts;
    std::vector<Repository> repositories;

    std::vector<std::string> packages;  ///< sorted, without the excluded ones
    bool core = true;                   ///< Debian's "important" packages too, not only "required"
    bool documents = true;              ///< keep /usr/share/{doc,man,info}
    bool recommends = true;
    std::vector<std::string> languages;  ///< message catalogues to keep; empty: all

    std::vector<Script> pre;
    std::vector<Script> post;
    ImageSettings image;
};

/// Reads and checks a recipe. If problems is not empty afterwards the value is only good for more
/// checking.
/// `settings` are lines "key = value" of `%addon gearbox` that override those of the files; paths
/// in them are relative to the working directory.
Recipe load_recipe(const std::filesystem::path& path, const SourceReader& read, Problems& problems,
                   const std::vector<std::string>& settings = {});

/// The recipe language as Markdown, written from the tables that check recipes.
std::string describe_language();

}  // namespace gearbox::builder
