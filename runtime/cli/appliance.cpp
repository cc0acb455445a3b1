// admin persist, admin install-to: what the image's own programs do, where there are such (root only).
#include "cli/command.h"

#include "base/error.h"

#include <unistd.h>
#include <memory>
#include <string>

namespace gearbox::cli {

namespace {

struct DiskArguments {
    std::string disk;     ///< empty: the program asks
    bool agreed = false;  ///< to lose what it holds
};

Runner declare_for_disk(CLI::App& parser, const char* program, const char* disk, const char* flag, const char* help) {
    const auto arguments = std::make_shared<DiskArguments>();
    CLI::Option* const option = parser.add_option("DISK", arguments->disk, disk);
    parser.add_flag(flag, arguments->agreed, help)->needs(option);
    return [arguments, program, flag](Session&) -> int {
        ::execl(program, program, arguments->disk.c_str(), arguments->agreed ? flag : nullptr, nullptr);
        fail(ErrorKind::unavailable, "this machine was not started from a live medium of Gearbox: what it does is kept");
    };
}

}  // namespace

Runner declare_admin_persist(CLI::App& parser) {
    return declare_for_disk(parser, "/usr/libexec/gearbox/persist",
                            "a disk or partition, such as /dev/sdb; without it you pick one from a list", "--erase",
                            "whatever it holds is lost");
}

Runner declare_admin_install_to(CLI::App& parser) {
    Runner runner = declare_for_disk(parser, "/usr/libexec/gearbox/install", "a whole disk, such as /dev/sdb", "--yes",
                                     "do not ask; whatever it holds is lost");
    parser.get_option("DISK")->required();
    return runner;
}

}  // namespace gearbox::cli
