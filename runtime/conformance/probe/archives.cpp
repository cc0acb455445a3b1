// Archives: members that lead out of the directory they are unpacked in, by tar as the gear runs
// it.
#include "conformance/probe/groups.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace gearbox::probe::archives {

namespace {

constexpr const char* outside = "/etc/gear-probe-member";

struct Member {
    std::string name;
    char type = '0';  ///< of ustar: file, '1' hard link, '2' symbolic link, '4' block device
    std::string link{};
    unsigned mode = 0644;
    unsigned device_major = 0;
    unsigned owner = ::getuid();
};

// A ustar header (POSIX.1-1988) and one block of content for a file.
std::string encode(const Member& member) {
    char block[512] = {};
    const auto octal = [&block](std::size_t at, std::size_t size, unsigned value) {
        std::snprintf(block + at, size, "%0*o", static_cast<int>(size - 1), value);
    };
    const std::size_t size = member.type == '0' ? 6 : 0;
    member.name.copy(block, 100);
    octal(100, 8, member.mode);
    octal(108, 8, member.owner);
    octal(116, 8, member.owner);
    octal(124, 12, static_cast<unsigned>(size));
    octal(136, 12, 0);
    block[156] = member.type;
    member.link.copy(block + 157, 100);
    std::memcpy(block + 257, "ustar\00000", 8);
    octal(329, 8, member.device_major);
    octal(337, 8, 0);
    std::memset(block + 148, ' ', 8);
    unsigned sum = 0;
    for (const char c : block) {
        sum += static_cast<unsigned char>(c);
    }
    std::snprintf(block + 148, 7, "%06o", sum);
    std::string out(block, sizeof block);
    if (size > 0) {
        out += "probe\n" + std::string(512 - size, '\0');
    }
    return out;
}

// -P: tar's own care for names is not what is tested. What it says first is the detail.
struct Unpacked {
    bool ran = false;
    std::string complaint;
};

Unpacked unpack(const std::vector<Member>& members, const std::string& directory) {
    const Scratch archive("members.tar", "/tmp");
    std::string data;
    for (const Member& member : members) {
        data += encode(member);
    }
    std::ofstream(archive.path(), std::ios::binary) << data << std::string(1024, '\0');
    ::mkdir(directory.c_str(), 0700);
    const Ran ran =
        run({"/usr/bin/tar", "-P", "-p", "--same-owner", "-xf", archive.path(), "-C", directory},
            {"LC_ALL=C", "PATH=/usr/bin"});
    return {ran.status != 127 && ran.status >= 0, ran.output.substr(0, ran.output.find('\n'))};
}

bool exists(const std::string& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0;
}

// Whether the path is there after unpacking; if so it is removed.
Outcome try_members(const std::vector<Member>& members, const std::string& path) {
    const Scratch directory("unpack");
    const Unpacked unpacked = unpack(members, directory.path());
    if (!unpacked.ran) {
        return absent("no tar is installed");
    }
    if (exists(path)) {
        ::unlink(path.c_str());
        return succeeded("there is " + path);
    }
    return denied(0, unpacked.complaint);
}

std::string own(const Scratch& directory, const char* name) {
    return directory.path() + "/" + name;
}

}  // namespace

Outcome absolute_name(const Targets&) {
    return try_members({{outside}}, outside);
}
Outcome parent_name(const Targets&) {
    return try_members({{std::string("../../../../../../..") + outside}}, outside);
}
Outcome other_home_name(const Targets& targets) {
    const std::string path = targets.other_home + "/app-root/data/gear-probe-member";
    return try_members({{path}}, path);
}
Outcome through_symlink(const Targets&) {
    return try_members({{"d", '2', "/etc"}, {"d/gear-probe-member"}}, outside);
}

Outcome hard_link_outside(const Targets&) {
    const Scratch directory("link");
    const Unpacked unpacked = unpack({{"passwd", '1', "/etc/passwd"}}, directory.path());
    return exists(own(directory, "passwd")) ? succeeded("a hard link to /etc/passwd")
                                            : denied(0, unpacked.complaint);
}
Outcome device_node(const Targets&) {
    const Scratch directory("device");
    const Unpacked unpacked = unpack({{"disk", '4', "", 0600, 8}}, directory.path());
    return exists(own(directory, "disk")) ? succeeded("a block device 8:0")
                                          : denied(0, unpacked.complaint);
}
Outcome owned_by_root(const Targets&) {
    const Scratch directory("owner");
    const Unpacked unpacked = unpack({{"program", '0', "", 04755, 0, 0}}, directory.path());
    struct stat info {};
    if (::stat(own(directory, "program").c_str(), &info) < 0) {
        return denied(0, "nothing was unpacked: " + unpacked.complaint);
    }
    return info.st_uid == 0 ? succeeded("it is root's") : denied(0, unpacked.complaint);
}

}  // namespace gearbox::probe::archives
