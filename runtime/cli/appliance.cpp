// admin persist: what the image's own programs do, where there are such (root only).
#include "cli/command.h"

#include "base/error.h"

#include <unistd.h>
#include <memory>
#include <string>

namespace gearbox::cli {

namespace {

struct DiskArguments {
    std::string disk;
    bool erase = false;
};

}  // namespace

Runner declare_admin_persist(CLI::App& parser) {
    const auto arguments = std::make_shared<DiskArguments>();
    parser.add_option("DISK", arguments->disk, "a disk or partition, such as /dev/sdb")->required();
    parser.add_flag("--erase", arguments->erase, "whatever it holds is lost");
    return [arguments](Session&) -> int {
        const char* program = "/usr/libexec/gearbox/persist";
        ::execl(program, program, arguments->disk.c_str(), arguments->erase ? "--erase" : nullptr, nullptr);
        fail(ErrorKind::unavailable, "this machine was not started from a live medium of Gearbox: what it does is kept");
    };
}

}  // namespace gearbox::cli
