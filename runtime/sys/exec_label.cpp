#include "sys/selinux.h"

#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>

namespace gearbox::sys {

void set_exec_label(const std::string& label) {
    const UniqueFd attribute(check(::open("/proc/thread-self/attr/exec", O_WRONLY | O_CLOEXEC),
                                   "opening the exec label"));
    write_all(attribute.get(), label);
}

}  // namespace gearbox::sys
