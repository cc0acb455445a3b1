#include "sys/selinux.h"

#include "base/error.h"

#include <selinux/selinux.h>

namespace gearbox::sys {

bool is_selinux_enforcing() {
    return ::is_selinux_enabled() > 0 && ::security_getenforce() > 0;
}

std::string label_of(int fd) {
    char* text = nullptr;
    check(static_cast<int>(::fgetfilecon(fd, &text)), "reading a label");
    const std::string label = text;
    ::freecon(text);
    return label;
}

CreateLabel::CreateLabel(const std::string& label) : active_(!label.empty()) {
    if (active_) {
        check(::setfscreatecon(label.c_str()), "labelling new files '", label, "'");
    }
}

CreateLabel::~CreateLabel() {
    if (active_) {
        ::setfscreatecon(nullptr);
    }
}

}  // namespace gearbox::sys
